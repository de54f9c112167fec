"""Workers of PyTorch's DataLoader, `torch_dataloader.py fork|spawn`: each logs what it loads."""

import json
import sys

import torch
from torch.utils.data import DataLoader, Dataset

import gnomon

ROWS, WORKERS = 200, 4


class Rows(Dataset[int]):
    """Logs from the worker: to the run that a fork inherits, or by its id where a process begins with nothing."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> int:
        run = gnomon.active_run()
        if run is None:
            worker = torch.utils.data.get_worker_info()
            run = gnomon.init("loader", id=self.run_id, rank=1 + worker.id)
        run.log({f"loaded/{index}": float(index)}, step=index)
        return index


if __name__ == "__main__":
    run = gnomon.init("loader")
    loader = DataLoader(Rows(run.id), batch_size=10, num_workers=WORKERS, multiprocessing_context=sys.argv[1])
    for _epoch in range(2):
        for batch in loader:
            run.log({"sum": float(batch.sum())})
    run.finish()
    print(json.dumps({"run": run.id, "rows": ROWS}))
