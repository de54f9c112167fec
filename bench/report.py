"""Results: a table on the terminal and a JSON file that says where and with what they were measured."""

import json
import math
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("litestar", "msgspec", "uvicorn", "uvloop", "httptools", "sqlalchemy", "pysqlite3", "numpy", "pyarrow")
_SHOWN_NOTES = ("growth", "check", "alone", "processor of the server")  # the others are for the terminal


@dataclass(slots=True)
class Result:
    """One statement: what was asked, everyone's figures of each round, and the bounds that ratios must meet."""

    name: str
    unit: str
    figures: dict[str, list[float]]
    at_least: dict[str, float] = field(default_factory=dict)  # peer -> ours / peer
    at_most: float | None = None  # ours, where no peer is needed
    notes: Mapping[str, object] = field(default_factory=dict)
    is_cost: bool = False  # less is better: ratios are peer / ours

    def ratio(self, peer: str) -> float:
        ours, theirs = median(self.figures["gnomon"]), median(self.figures[peer])
        if self.is_cost:
            ours, theirs = theirs, ours
        return ours / theirs if theirs else math.inf

    def verdict(self, who: str) -> str:
        """What is to be said of one column: the ratio to a peer, or whether our own bound is met."""
        if who == "gnomon":
            if self.at_most is None:
                return ""
            return f"at most {self.at_most:g}: {_met(median(self.figures[who]) <= self.at_most)}"
        if "gnomon" not in self.figures:
            return ""
        said = f"ours is {self.ratio(who):,.2f} times"
        if who in self.at_least:
            said += f" (at least {self.at_least[who]:g}: {_met(self.ratio(who) >= self.at_least[who])})"
        return said

    def lines(self) -> list[str]:
        found = [f"{self.name}  [{self.unit}]"]
        for who, rounds in self.figures.items():
            spread = f"{min(rounds):,.4g} to {max(rounds):,.4g}" if len(rounds) > 1 else ""
            found.append(f"    {who:<24}{median(rounds):>14,.4g}   {spread:<24} {self.verdict(who)}".rstrip())
        return found + [f"    {key}: {value}" for key, value in self.notes.items()]


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def machine() -> dict[str, object]:
    """The machine and the versions, for whoever reads the figures later."""
    versions: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": sys.version.split()[0],
        "kernel": platform.release(),
        "cpu": cpu[0].partition(":")[2].strip() if cpu else platform.processor(),
        "cores": len(cpu),
        "load": Path("/proc/loadavg").read_text().split()[0],
        "versions": versions,
    }


def save(bench: str, results: Sequence[Result], facts: Mapping[str, object]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{bench}.json"
    data = {"bench": bench, "machine": dict(facts), "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(data, indent=1))
    return path


def load(bench: str) -> tuple[str, list[Result], Mapping[str, object]] | None:
    """What was saved last; None when it was never measured here."""
    path = RESULTS / f"{bench}.json"
    if not path.exists():
        return None
    data = json.loads(path.read_text())
    return bench, [Result(**result) for result in data["results"]], data["machine"]


def markdown(bench: str, results: Sequence[Result], facts: Mapping[str, object]) -> str:
    """Tables as docs/benchmarks.md has them: a row a statement, one table for those with the same columns."""
    lines = [f"### `python -m bench {bench}`", ""]
    for who, same in groupby(results, key=lambda result: tuple(result.figures)):
        lines += [f"| | {' | '.join(who)} | |", f"|---|{'---|' * len(who)}---|"]
        lines += [_row(result) for result in same]
        lines.append("")
    where = f"{facts['cpu']}, {facts['cores']} cores, load {facts['load']} at the start"
    return "\n".join([*lines, f"{where}; Python {facts['python']}, commit {facts['commit']}, {facts['time']}.", ""])


def _row(result: Result) -> str:
    cells = [_cell(rounds) for rounds in result.figures.values()]
    said = [
        f"{who}: {verdict}" if len(result.figures) > 1 else verdict
        for who in result.figures
        if (verdict := result.verdict(who))
    ]
    said += [str(note) for name, note in result.notes.items() if name in _SHOWN_NOTES]
    return f"| {result.name} [{result.unit}] | {' | '.join(cells)} | {'; '.join(said)} |"


def _cell(rounds: Sequence[float]) -> str:
    spread = f" ({min(rounds):,.4g} to {max(rounds):,.4g})" if len(rounds) > 1 else ""
    return f"{median(rounds):,.4g}{spread}"
