"""`gnomon import wandb`: the run folders that wandb leaves on a disk, offline ones above all.

Invariants:
- A run of wandb is one run here, also when it was resumed and has several folders. Its id is made of the experiment,
  the tenant and wandb's entity, project and run id: importing again goes on with it.
- Points keep the step, the time to the millisecond and the exact value.
- Nothing is thrown away: what is no number and has no page here is kept in files of the run (`wandb/…`), and listed.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from gnomon.client import Client
from gnomon.errors import GnomonError
from gnomon.importing import protobuf as pb
from gnomon.importing.folders import walk
from gnomon.importing.report import ImportReport, LeftOut, RunCheck, nothing_imported, report_of
from gnomon.importing.wandb_log import NotWandb, WandbLog
from gnomon.importing.wandb_records import Begun, decode_record
from gnomon.importing.wandb_run import FORMAT, RunImport
from gnomon.values import clean_key

NO_PROJECT = "uncategorized"
# What is being done, to which run, how much of it is done and how much there is.
Progress = Callable[[str, str, int, int], None]


class RunLogs(Struct):
    """One run of wandb: what it said of itself first, and its files, oldest first."""

    begun: Begun
    files: list[Path]


def import_wandb(client: Client, root: Path, *, experiment: str | None = None, progress: Progress) -> ImportReport:
    """Import every run folder at or below `root` into an experiment (named as the project, if none is given)."""
    left_out = LeftOut()
    runs = find_runs(root, left_out)
    if not runs and left_out.lines():
        raise nothing_imported(root, left_out)
    if not runs:
        raise GnomonError(f"there is no run of wandb (a file run-….wandb) at or below {root}")
    checks: list[RunCheck] = []
    experiments: set[str] = set()
    for logs in runs:
        into = clean_key(experiment or logs.begun.project or NO_PROJECT, 255)
        experiments.add(into)
        checks.append(RunImport(client, logs.begun, logs.files, into, left_out, progress).run())
    return report_of(FORMAT, str(root), ", ".join(sorted(experiments)), checks, left_out)


def find_runs(root: Path, left_out: LeftOut) -> list[RunLogs]:
    """The runs at and below `root`, oldest first; a folder of wandb's has its time in its name."""
    found: dict[tuple[str, str, str], RunLogs] = {}
    for folder, names in sorted(walk(root)):
        for name in names:
            file = folder / name
            if not (name.startswith("run-") and name.endswith(".wandb") and file.is_file()):
                continue
            begun = _begun(file, left_out)
            if begun is not None:
                run = found.setdefault((begun.entity, begun.project, begun.run_id), RunLogs(begun, []))
                run.files.append(file)
    return list(found.values())


def _begun(file: Path, left_out: LeftOut) -> Begun | None:
    """What the run said of itself when it began; it is among the first records."""
    reason = "it does not say which run it is of; the job may have been killed while it began"
    try:
        for record in WandbLog(file):
            said = decode_record(record)
            if isinstance(said, Begun) and said.run_id:
                return said
    except (NotWandb, pb.Malformed) as error:
        reason = str(error)
    left_out.add(file.parent.name, kind="run", name=file.name, reason=reason)
    return None
