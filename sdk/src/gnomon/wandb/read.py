"""A run of `wandb.Api()`: its config, summary, history and files, under wandb's names.

Invariants:
- History is what was logged, at its steps, in rows of `_step`; `scan_history` gives all of it, `history` at most
  `samples` rows, evenly taken. With `keys`, only rows that have all of them, as with wandb.
- Params are texts on the server; here they are numbers, truth values and lists again where they were.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from gnomon.client import Client
from gnomon.client.records import Run as Found
from gnomon.values import number
from gnomon.wandb.absent import Absent, absent, say_once
from gnomon.wandb.errors import asking
from gnomon.wandb.used import UsedArtifact, artifact_of

_CONFIG, _SUMMARY, _ARTIFACT = "wandb.config.", "wandb.summary.", "wandb.artifact."
_MACHINE, _EVENTS = "system/", "event/"
# Of one answer: points of all its metrics, and metrics.
_POINTS, _KEYS = 50_000, 200


class ReadRun:
    """One run, as it was when it was asked for."""

    def __init__(self, client: Client, found: Found, project: str) -> None:
        self._client = client
        self._found = found
        tags = found.tags
        self.id = tags.get("wandb.id", found.id)
        self.name = self.display_name = found.name
        self.state = found.status
        self.notes = found.description
        self.project = project
        self.entity = tags.get("wandb.entity", "")
        self.group = tags.get("wandb.group")
        self.job_type = tags.get("wandb.job_type")
        self.created_at = found.start_time
        self.tags = [key for key, value in tags.items() if value == "true" and not key.startswith("wandb.")]

    @cached_property
    def config(self) -> dict[str, object]:
        """What the run was started with, nested as it was given."""
        nested: dict[str, object] = {}
        changed = {key[len(_CONFIG) :]: value for key, value in self._found.tags.items() if key.startswith(_CONFIG)}
        for key, value in (self._found.params | changed).items():
            *folders, name = key.split("/")
            place = nested
            for folder in folders:
                below = place.setdefault(folder, {})
                place = below if isinstance(below, dict) else {}
            place[name] = _read(value)
        return nested

    @cached_property
    def summary(self) -> "ReadSummary":
        """The last value of each metric, and what the script set."""
        said = {
            key[len(_SUMMARY) :]: _read(value) for key, value in self._found.tags.items() if key.startswith(_SUMMARY)
        }
        last = {key: value for key, value in self._found.metrics.items() if not key.startswith((_MACHINE, _EVENTS))}
        return ReadSummary({**last, **said})

    @property
    def summary_metrics(self) -> "ReadSummary":
        return self.summary

    @property
    def path(self) -> list[str]:
        return [self.entity, self.project, self.id]

    @property
    def url(self) -> str:
        tenant = self._client.settings.tenant
        return f"{self._client.settings.url}/r/{self._found.id}{f'?tenant={tenant}' if tenant else ''}"

    def scan_history(
        self,
        keys: Sequence[str] | None = None,
        page_size: int = 1000,
        min_step: int | None = None,
        max_step: int | None = None,
        **more: object,
    ) -> Iterator[dict[str, object]]:
        """Every row: `_step`, `_timestamp` (Unix seconds), `_runtime` (seconds) and the metrics of that step."""
        for step, row in sorted(self._rows(keys, is_machine=False).items()):
            if (min_step is None or step >= min_step) and (max_step is None or step < max_step):
                yield row

    def history(
        self,
        samples: int = 500,
        keys: Sequence[str] | None = None,
        x_axis: str = "_step",
        pandas: bool = True,
        stream: str = "default",
    ) -> Any:  # a frame of pandas, which is the caller's to have; else a list of rows
        """At most `samples` rows, as a frame of pandas where that is installed."""
        rows = [row for _, row in sorted(self._rows(keys, is_machine=stream == "system").items())]
        if len(rows) > samples > 0:
            rows = [rows[at * (len(rows) - 1) // max(1, samples - 1)] for at in range(samples)]
        if x_axis != "_step":
            rows = sorted((row for row in rows if x_axis in row), key=lambda row: number(row[x_axis]) or 0.0)
        if not pandas:
            return rows
        try:
            import pandas as pd
        except ImportError:
            say_once("frame without pandas", "history is a list of rows; `pip install pandas`")
            return rows
        return pd.DataFrame(rows)

    def files(self, names: Sequence[str] | None = None, per_page: int = 50) -> list["ReadFile"]:
        """The files of the run, or those of these names."""
        with asking():
            found = [ReadFile(self._client, self._found.id, each.path, each.size) for each in self._walk()]
        return [file for file in found if not names or file.name in names]

    def file(self, name: str) -> "ReadFile":
        """One file, by its path in the run or, of a saved one, by its name."""
        found = {each.name: each for each in self.files()}
        if name not in found and f"files/{name}" not in found:
            raise ValueError(f"the run has no file {name!r}")
        return found.get(name) or found[f"files/{name}"]

    def logged_artifacts(self, per_page: int = 50) -> list[UsedArtifact]:
        names = [key[len(_ARTIFACT) :] for key in self._found.tags if key.startswith(_ARTIFACT)]
        with asking():
            return [artifact_of(self._client, self._found, name) for name in names]

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("_"):
            raise AttributeError(name)
        return absent(f"wandb.Api().run().{name}")

    def __repr__(self) -> str:
        return f"Run({'/'.join(part for part in self.path if part)!r}, {self.state})"

    def _walk(self) -> list[Any]:  # ArtifactInfo of the wire
        return [*self._client.artifacts.walk(self._found.id)]

    def _rows(self, keys: Sequence[str] | None, *, is_machine: bool) -> dict[float, dict[str, object]]:
        """Rows by their step. `_step` and its like are in every row and need not be asked for."""
        asked = [key for key in keys or () if key not in ("_step", "_timestamp", "_runtime")]
        logged = [key for key in self._found.metrics if key.startswith(_MACHINE) == is_machine]
        began = datetime.fromisoformat(self._found.start_time).timestamp()
        rows: dict[float, dict[str, object]] = {}
        with asking():
            for key, points in self._points(asked or logged).items():
                for step, at, value in points:
                    seconds = at / 1000
                    row = rows.setdefault(step, {"_step": step})
                    row.update({"_timestamp": seconds, "_runtime": seconds - began, key: value})
        if not asked:
            return rows
        return {step: row for step, row in rows.items() if all(key in row for key in asked)}

    def _points(self, keys: Sequence[str]) -> dict[str, list[tuple[float, int, float]]]:
        """Every point of these metrics: (step, Unix milliseconds, value). Many metrics are asked for at once."""
        found: dict[str, list[tuple[float, int, float]]] = {key: [] for key in keys}
        for first in range(0, len(keys), _KEYS):
            waiting, offset = [*keys[first : first + _KEYS]], 0
            while waiting:
                limit = _POINTS // len(waiting)
                page = self._client.metrics.history(self._found.id, waiting, limit=limit, offset=offset).series
                for series in page:
                    found[series.key] += zip(series.step, series.timestamp, series.value, strict=True)
                offset += limit
                waiting = [series.key for series in page if series.total > offset]
        return found


class ReadSummary(dict[str, object]):
    """A summary that is read; `loss.min` and its like are columns of the run's table."""

    @property
    def _json_dict(self) -> dict[str, object]:
        return dict(self)

    def update(self, *given: Any, **more: Any) -> None:  # as dict's, whose types are many
        super().update(*given, **more)
        say_once("change of a summary by wandb.Api", "log it from the run, or set it with gnomon.Client")


class ReadFile:
    """A file of a run, to be had."""

    def __init__(self, client: Client, run_id: str, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._client = client
        self._run = run_id

    def download(self, root: str = ".", replace: bool = False, exist_ok: bool = False) -> Path:
        """Write it below `root`. Raises `ValueError` for one that is there, unless `replace`; `exist_ok` leaves it."""
        target = Path(root) / self.name
        if target.exists() and not replace:
            if exist_ok:
                return target
            raise ValueError(f"{target} is there already; say replace=True or exist_ok=True")
        with asking():
            return self._client.artifacts.download(self._run, self.name, root)

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.size} bytes)"


def _read(text: str) -> object:
    """What a param was before it became a text."""
    try:
        found = json.loads(text)
    except ValueError:
        plain = _double(text)
        return text if plain is None else plain
    return found if not isinstance(found, Mapping) else text


def _double(text: str) -> float | None:
    """`nan`, `inf` and `1e-05`, which Python writes and JSON does not read."""
    try:
        return float(text)
    except ValueError:
        return None
