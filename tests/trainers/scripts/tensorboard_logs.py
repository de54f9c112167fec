"""Writes event files with PyTorch's and TensorBoard's own writers, and prints what TensorBoard itself reads of them.

`tensorboard_logs.py FOLDER [tensors]`; with `tensors` only a few records in the form of TensorFlow 2.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams_v2
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

T0 = 1_700_000_000.0


def write_tensors(folder: Path) -> None:
    writer = EventFileWriter(str(folder))

    def add(summary: object, step: int) -> None:
        writer.add_event(Event(wall_time=T0 + step / 4, step=step, summary=summary))

    add(hparams_v2.hparams_pb({"lr": 0.1, "optimiser": "adam", "bias": True}), 0)
    for step in range(20):
        add(scalar_pb("epoch_loss", 1 / (step + 1)), step)
    add(scalar_pb("epoch_loss", math.nan), 20)
    add(histogram_pb("weights", np.linspace(-1, 1, 500), buckets=10), 5)
    add(text_pb("notes", "of **TensorFlow 2**"), 6)
    ended = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_FAILURE, end_time_secs=T0 + 5)
    content = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ended))
    add(Summary(value=[Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=content)]), 21)
    writer.close()


def write_torch(folder: Path) -> None:
    import torch
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step in range(200):
            writer.add_scalar("train/loss", 1 / (step + 1), step)
            if step % 10 == 0:
                writer.add_scalar("new/style", step / 7, step, new_style=True)
                writer.add_scalar("double", step / 7, step, new_style=True, double_precision=True)
        writer.add_scalars("together", {"a": 1.0, "b": 2.0}, 3)
        writer.add_histogram("weights", torch.linspace(-1, 1, 100), 4)
        writer.add_image("picture", torch.zeros(3, 8, 8), 5)
        writer.add_images("pictures", torch.zeros(2, 3, 8, 8), 6)
        writer.add_text("text", "of torch", 7)
        writer.add_audio("tone", torch.zeros(1, 800), 8, sample_rate=8000)
        writer.add_graph(torch.nn.Linear(2, 1), torch.zeros(1, 2))
        writer.add_mesh("mesh", torch.zeros(1, 3, 3))
        writer.add_hparams({"lr": 0.1, "layers": 2}, {"accuracy": 0.5}, run_name="tuned")


def read(folder: Path) -> dict[str, list[list[object]]]:
    """Tag -> step, milliseconds and value of each point, as TensorBoard reads them."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    found = {
        tag: [[e.step, round(e.wall_time * 1000), repr(e.value)] for e in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    for tag in events.Tags()["tensors"]:
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            found[tag] = [
                [e.step, round(e.wall_time * 1000), repr(float(tensor_util.make_ndarray(e.tensor_proto).item()))]
                for e in events.Tensors(tag)
            ]
    return found


root = Path(sys.argv[1])
write_tensors(root / "tensors")
if len(sys.argv) < 3:
    write_torch(root / "torch")
folders = sorted({path.parent for path in root.rglob("*tfevents*")})
print(json.dumps({folder.relative_to(root).as_posix(): read(folder) for folder in folders}))
