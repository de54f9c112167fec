"""Results: a table on the terminal and a JSON file that says where and with what they were measured."""

import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("litestar", "msgspec", "uvicorn", "uvloop", "httptools", "sqlalchemy", "pysqlite3", "numpy", "pyarrow")


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
        return theirs / ours if self.is_cost else ours / theirs

    def lines(self) -> list[str]:
        found = [f"{self.name}  [{self.unit}]"]
        for who, rounds in self.figures.items():
            spread = f"{min(rounds):,.4g} to {max(rounds):,.4g}" if len(rounds) > 1 else ""
            line = f"    {who:<24}{median(rounds):>14,.4g}   {spread:<24}"
            if who != "gnomon" and "gnomon" in self.figures:
                line += f" ours is {self.ratio(who):,.2f} times"
                if who in self.at_least:
                    verdict = "met" if self.ratio(who) >= self.at_least[who] else "MISSED"
                    line += f" (at least {self.at_least[who]:g}: {verdict})"
            elif self.at_most is not None:
                line += f" at most {self.at_most:g}: {'met' if median(rounds) <= self.at_most else 'MISSED'}"
            found.append(line)
        found += [f"    {key}: {value}" for key, value in self.notes.items()]
        return found


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
