"""What one record of a TensorBoard event file says: scalars, pictures, texts, distributions, sound, hyperparameters.

Both forms are read: the values of old writers (`simple_value`, `image`, `histo`; torch and tensorboardX still write
them) and the tensors with the name of a plugin (TensorFlow 2, Keras, JAX). The messages are those of
tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto and tensorboard/plugins/hparams.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isfinite

from msgspec import Struct, json

from gnomon.importing import protobuf as pb
from gnomon.importing.tensors import Tensor, decode_tensor
from gnomon.media import MediaKind
from gnomon.media.histograms import MAX_BINS, Histogram
from gnomon.values import text as param_text

MAX_PARAM = 6_000
HPARAMS = "hparams"
_START, _END = "_hparams_/session_start_info", "_hparams_/session_end_info"
_RESTART = 1  # SessionLog.START


class Scalar(Struct, frozen=True, gc=False):
    tag: str
    value: float


class Media(Struct, frozen=True):
    """A file at a step; `kind` None is one that no page shows, kept among the run's other files."""

    kind: MediaKind | None
    tag: str
    index: int
    data: bytes
    suffix: str


class Hyperparameters(Struct, frozen=True):
    params: dict[str, str]
    group: str


class Ended(Struct, frozen=True):
    has_failed: bool


class Other(Struct, frozen=True):
    """What is not kept, and why."""

    kind: str
    name: str
    reason: str


Item = Scalar | Media | Hyperparameters | Ended | Other


class Event(Struct, frozen=True):
    """`wall_time` in seconds since 1970."""

    wall_time: float
    step: int
    items: list[Item]


class EventReader:
    """Reads the records of one run in order. The plugin of a tag is named only where the tag occurs first."""

    def __init__(self) -> None:
        self._plugins: dict[str, str] = {}

    def read(self, record: bytes) -> Event:
        """Raises `Malformed`."""
        wall_time, step = 0.0, 0
        items: list[Item] = []
        for number, raw in pb.fields(record):
            if number == 1:
                wall_time = pb.double(raw)
            elif number == 2:
                step = pb.signed(raw)
            elif number == 5:
                for _, value in pb.fields(pb.message(raw)):
                    items.extend(self._value(pb.message(value)))
            elif number == 7:
                items.extend(_session(pb.message(raw)))
            elif (other := _OTHER_EVENTS.get(number)) is not None:
                items.append(other)
        return Event(wall_time, step, items)

    def _value(self, message: bytes) -> Iterator[Item]:
        tag, plugin, content = "", "", b""
        simple: float | None = None
        old: tuple[int, bytes] | None = None
        tensor: Tensor | None = None
        for number, raw in pb.fields(message):
            if number == 1:
                tag = pb.text(raw)
            elif number == 2:
                simple = pb.single(raw)
            elif number in (4, 5, 6):
                old = (number, pb.message(raw))
            elif number == 8:
                tensor = decode_tensor(pb.message(raw))
            elif number == 9:
                plugin, content = _plugin(pb.message(raw))
        if plugin:
            self._plugins.setdefault(tag, plugin)
        if simple is not None:
            yield Scalar(tag, simple)
        elif old is not None:
            yield from _old_media(*old, tag)
        elif self._plugins.get(tag) == HPARAMS:
            yield from _hparams(tag, content)
        elif tensor is not None:
            yield from _from_tensor(tag, self._plugins.get(tag, ""), tensor)


def _session(message: bytes) -> Iterator[Item]:
    for number, raw in pb.fields(message):
        if number == 1 and pb.varint(raw) == _RESTART:
            reason = "TensorBoard hides what was written at later steps before a restart; all of it is kept here"
            yield Other("restart", "session log", reason)


def _plugin(metadata: bytes) -> tuple[str, bytes]:
    """Name and content of the plugin that a value is for."""
    name, content = "", b""
    for number, raw in pb.fields(metadata):
        if number == 1:
            for inner, value in pb.fields(pb.message(raw)):
                if inner == 1:
                    name = pb.text(value)
                elif inner == 2:
                    content = pb.message(value)
    return name, content


def _old_media(number: int, message: bytes, tag: str) -> Iterator[Item]:
    found = dict(pb.fields(message))
    if number == 5:
        yield Media("histograms", tag, 0, _old_histogram(found), ".json")
    elif 4 in found:
        data = pb.message(found[4])
        yield _image(tag, 0, data) if number == 4 else Media(None, f"audio/{tag}", 0, data, ".wav")


def _from_tensor(tag: str, plugin: str, tensor: Tensor) -> Iterator[Item]:
    if plugin == "text" or (not plugin and tensor.texts):
        whole = b"\n".join(tensor.texts)
        yield Media("text", tag, 0, whole, ".txt")
    elif plugin == "images":
        # Width and height come first, as text.
        for index, data in enumerate(tensor.texts[2:]):
            yield _image(tag, index, data)
    elif plugin == "audio":
        clips = tensor.texts[:: 2 if len(tensor.shape) == 2 else 1]
        for index, data in enumerate(clips):
            yield Media(None, f"audio/{tag}", index, data, ".wav")
    elif plugin == "histograms":
        yield Media("histograms", tag, 0, _new_histogram(tensor.numbers), ".json")
    elif plugin in ("", "scalars") and len(tensor.numbers) == 1:
        yield Scalar(tag, tensor.numbers[0])
    else:
        yield Other(plugin or "tensor", tag, "there is no page for it here; the event file has it")


def _image(tag: str, index: int, data: bytes) -> Media:
    suffix = {b"\x89PNG": ".png", b"\xff\xd8\xff\xe0": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp"}.get(data[:4], "")
    if not suffix and data.startswith(b"\xff\xd8"):
        suffix = ".jpg"
    return Media("images" if suffix else None, tag if suffix else f"images/{tag}", index, data, suffix or ".bin")


def _old_histogram(found: dict[int, pb.Raw]) -> bytes:
    """Counts up to each limit; the first limit's bucket begins at the least value."""
    low, high, number, total = (pb.double(found[n]) if n in found else 0.0 for n in (1, 2, 3, 4))
    limits = pb.doubles(found[6]) if 6 in found else ()
    counts = pb.doubles(found[7]) if 7 in found else ()
    if len(limits) != len(counts):
        raise pb.Malformed("a histogram has other counts than limits")
    used = [i for i, count in enumerate(counts) if count]
    if not used:
        return _histogram([], [], low, high, None)
    first, last = used[0], used[-1]
    inner = [min(max(limit, low), high) for limit in limits[first:last]]
    return _histogram([low, *inner, high], counts[first : last + 1], low, high, total / number if number else None)


def _new_histogram(numbers: Sequence[float]) -> bytes:
    """Rows of left edge, right edge and count, side by side."""
    if len(numbers) % 3:
        raise pb.Malformed("a histogram is rows of three numbers")
    lefts, rights, counts = numbers[0::3], numbers[1::3], numbers[2::3]
    if not counts:
        return _histogram([], [], None, None, None)
    return _histogram([lefts[0], *rights], counts, lefts[0], rights[-1], None)


def _histogram(
    edges: Sequence[float], counts: Sequence[float], low: float | None, high: float | None, mean: float | None
) -> bytes:
    bounds = [*edges]
    if not all(map(isfinite, [*bounds, *counts])):
        raise pb.Malformed("a histogram has edges or counts that are not finite")
    whole = [round(count) for count in counts]
    if any(left > right for left, right in pairwise(bounds)):
        raise pb.Malformed("the edges of a histogram do not rise")
    while len(whole) > MAX_BINS:  # neighbours become one, so that every edge left is one of the source's
        bounds = [*bounds[:-1:2], bounds[-1]]
        whole = [sum(whole[i : i + 2]) for i in range(0, len(whole), 2)]
    return json.encode(Histogram(bounds, whole, sum(whole), 0, low, high, mean))


def _hparams(tag: str, content: bytes) -> Iterator[Item]:
    for number, raw in pb.fields(content):
        if number == 3 and tag == _START:
            yield _start(pb.message(raw))
        elif number == 4 and tag == _END:
            yield Ended(has_failed=any(n == 1 and pb.varint(value) == 2 for n, value in pb.fields(pb.message(raw))))


def _start(message: bytes) -> Hyperparameters:
    params: dict[str, str] = {}
    group = ""
    for number, raw in pb.fields(message):
        if number == 1:
            entry = dict(pb.fields(pb.message(raw)))
            params[pb.text(entry.get(1, b""))] = param_text(_plain(pb.message(entry.get(2, b""))), MAX_PARAM)
        elif number == 4:
            group = pb.text(raw)
    return Hyperparameters(params, group)


def _plain(value: bytes) -> object:
    """A google.protobuf.Value; structures and lists, which no writer puts there, as None."""
    for number, raw in pb.fields(value):
        if number == 2:
            found = pb.double(raw)
            return int(found) if found == found // 1 and abs(found) < 2**53 else found
        if number == 3:
            return pb.text(raw)
        if number == 4:
            return bool(pb.varint(raw))
    return None


_OTHER_EVENTS = {
    4: Other("graph", "graph", "graphs of operations are not kept; the event file has it"),
    6: Other("log", "log message", "log messages of TensorFlow are not kept; the event file has it"),
    8: Other("profile", "run metadata", "profiles of operations are not kept; the event file has it"),
    9: Other("graph", "meta graph", "graphs of operations are not kept; the event file has it"),
}
