"""What a tracker holds, in dictionaries: the oracle of the state machine. One `TenantModel` a tenant, sharing nothing.

Each method does what the API says a request does, and returns the code of the error that it answers, or "" when it
takes the request. Nothing here knows how anything is stored.
"""

import math
from dataclasses import dataclass, field
from typing import Any

Point = tuple[float, int, float]  # step, timestamp, value


def exact(point: Point) -> tuple[float, int, str]:
    """A point as it can be compared: NaN equals NaN, and -0.0 is not 0.0."""
    return point[0], point[1], "NaN" if math.isnan(point[2]) else point[2].hex()


def to_wire(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


@dataclass(slots=True)
class ExperimentModel:
    id: str
    name: str
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    is_active: bool = True


@dataclass(slots=True)
class RunModel:
    id: str
    experiment: ExperimentModel
    name: str
    status: str = "running"
    is_active: bool = True
    # Whether archiving the experiment took it; restoring the experiment brings it back.
    went_along: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: dict[str, list[Point]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    next_seq: int = 0

    def log(self, points: dict[str, list[Point]], params: dict[str, str], tags: dict[str, str]) -> str:
        """A batch without identity: all of it or nothing, and a point that is there already changes nothing."""
        if not self.is_active:
            return "run_archived"
        if any(self.params.get(key, value) != value for key, value in params.items()):
            return "param_conflict"
        for key, added in points.items():
            series = self.points.setdefault(key, [])
            for point in added:
                if exact(point) not in map(exact, series):
                    series.append(point)
        self.params.update(params)
        self.tags.update(tags)
        return ""

    def log_sequenced(self, points: dict[str, list[Point]], params: dict[str, str]) -> str:
        """The next batch of this run's writer: every point counts, equal ones too. The caller sends it until taken."""
        if not self.is_active:
            return "run_archived"
        if any(self.params.get(key, value) != value for key, value in params.items()):
            return "param_conflict"
        for key, added in points.items():
            self.points.setdefault(key, []).extend(added)
        self.params.update(params)
        self.next_seq += 1
        return ""

    def put_file(self, path: str, data: bytes) -> str:
        if not self.is_active:
            return "run_archived"
        above = path.split("/")
        if any("/".join(above[:depth]) in self.files for depth in range(1, len(above))):
            return "invalid_request"  # a file where a directory would be
        if any(other.startswith(f"{path}/") for other in self.files):
            return "invalid_request"
        self.files[path] = data
        return ""

    def end(self, status: str) -> str:
        if not self.is_active:
            return "run_archived"
        self.status = status
        return ""

    def change(self, name: str, tags: dict[str, str | None]) -> str:
        if not self.is_active:
            return "run_archived"
        self.name = name
        merge_tags(self.tags, tags)
        return ""

    def archive(self) -> str:
        if self.is_active:
            self.is_active, self.went_along = False, False
        return ""

    def restore(self) -> str:
        if self.is_active:
            return ""
        if not self.experiment.is_active:
            return "experiment_archived"
        self.is_active, self.went_along = True, False
        return ""

    def series(self, key: str) -> list[Point]:
        return sorted(self.points[key], key=lambda point: point[0])  # stable: equal steps in the order of arrival

    def latest(self) -> dict[str, float | str]:
        """The point of the greatest (step, timestamp, value) of each metric, NaN comparing as 0."""
        return {
            key: to_wire(max(points, key=lambda p: (p[0], p[1], 0.0 if math.isnan(p[2]) else p[2]))[2])
            for key, points in self.points.items()
        }


@dataclass(slots=True)
class TenantModel:
    experiments: list[ExperimentModel] = field(default_factory=list)
    runs: list[RunModel] = field(default_factory=list)

    def is_taken(self, name: str) -> bool:
        return any(experiment.name == name for experiment in self.experiments)

    def runs_of(self, experiment: ExperimentModel) -> list[RunModel]:
        return [run for run in self.runs if run.experiment is experiment]

    def archive(self, experiment: ExperimentModel) -> None:
        if experiment.is_active:
            experiment.is_active = False
            for run in self.runs_of(experiment):
                if run.is_active:
                    run.is_active, run.went_along = False, True

    def restore(self, experiment: ExperimentModel) -> None:
        if not experiment.is_active:
            experiment.is_active = True
            for run in self.runs_of(experiment):
                if run.went_along:
                    run.is_active, run.went_along = True, False

    def purge_run(self, run: RunModel) -> str:
        if run.is_active:
            return "not_archived"
        self.runs.remove(run)
        return ""

    def purge_experiment(self, experiment: ExperimentModel) -> str:
        if experiment.is_active:
            return "not_archived"
        self.runs = [run for run in self.runs if run.experiment is not experiment]
        self.experiments.remove(experiment)
        return ""

    def run_count(self, experiment: ExperimentModel) -> int:
        """Active runs, or those that archiving the experiment took."""
        return sum(run.is_active or run.went_along for run in self.runs_of(experiment))


def merge_tags(tags: dict[str, str], changes: dict[str, str | None]) -> None:
    """Changes win, and None removes."""
    for key, value in changes.items():
        if value is None:
            tags.pop(key, None)
        else:
            tags[key] = value


def sequenced(seq: int, series: dict[str, list[Point]], params: dict[str, str]) -> dict[str, Any]:
    """The batch of that number of the writer "w", as it is sent."""
    rows = [(at, *point) for at, points in enumerate(series.values()) for point in points]
    columns = {
        "keys": list(series),
        "key": [row[0] for row in rows],
        "step": [row[1] for row in rows],
        "timestamp": [row[2] for row in rows],
        "value": [to_wire(row[3]) for row in rows],
    }
    return {"writer": "w", "seq": seq, "points": columns, "params": params}
