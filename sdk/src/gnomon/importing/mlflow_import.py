"""`gnomon import mlflow`: everything of an MLflow source that a training program logged.

Invariants:
- Runs and logged models keep their ids, experiments their numbers where these are free, points, runs and models their
  times. What could not be kept is said in the report.
- It may be broken off and begun again: what is there with the same content is not sent again.
- Experiments are found again by their names. Deleted runs and experiments arrive, and are archived at the end.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gnomon.client import Client
from gnomon.errors import ApiError, GnomonError
from gnomon.importing.destination import Destination, run_id_for
from gnomon.importing.mlflow_api import MlflowApi, Refused, headers_of_environment
from gnomon.importing.mlflow_database import DatabaseSource
from gnomon.importing.mlflow_folder import FolderSource
from gnomon.importing.mlflow_models import ModelImport, send_links
from gnomon.importing.mlflow_server import ServerSource
from gnomon.importing.mlflow_source import Point, Source, SourceExperiment, SourceRun, Unreachable
from gnomon.importing.report import ImportReport, ItemCheck, LeftOut, RunCheck, check_run, report_of
from gnomon.values import clean_key
from gnomon.wire import EndStatus, ExperimentResponse, RunBegin

FORMAT = "mlflow"
_RUN_NAME = "mlflow.runName"
_USER = "mlflow.user"
_NUMBER = re.compile(r"[0-9]{1,9}")  # a file store counts with 18 digits
_UID = re.compile(r"[0-9a-f]{32}")
_ENDS: dict[str, EndStatus] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}
_MAX_STEP = 2**53
_MAX_TIME_MS = 253_402_300_799_999
_MAX_PARAM, _MAX_TAG = 6_000, 8_000
_SOURCES = "name an mlruns folder, sqlite:///mlflow.db, postgresql://host/database or the http:// URL of a server"
_MAX_NAME, _MAX_RUN_NAME, _MAX_KEY = 255, 500, 250
# What is being done, to what, how much of it is done and how much there is.
Progress = Callable[[str, str, int, int], None]


def open_source(source: str, *, artifacts: Sequence[Path] = ()) -> Source:
    """The source behind a URL of a server, a database URL or a path of an `mlruns` folder."""
    if not source:
        raise GnomonError(f"no source is given; {_SOURCES}")
    scheme = source.partition("://")[0].partition("+")[0] if "://" in source else ""
    if scheme not in ("", "file"):
        _check_address(source)
    if scheme in ("http", "https"):
        return ServerSource(MlflowApi(source, headers=headers_of_environment()))
    if scheme in ("sqlite", "postgresql", "postgres"):
        return DatabaseSource(source, artifacts=artifacts)
    if scheme not in ("", "file"):
        raise GnomonError(f"{scheme}:// is nothing that can be read here; {_SOURCES}")
    return FolderSource(Path(unquote(urlsplit(source).path) if scheme else source))


def _check_address(source: str) -> None:
    try:
        urlsplit(source).port  # noqa: B018 - it is the look that raises
    except ValueError as error:
        raise GnomonError(f"the address has a port that is no number from 0 to 65535 ({error}); {_SOURCES}") from error


def import_mlflow(
    client: Client, source: Source, *, experiments: Sequence[str] = (), new_ids: bool = False, progress: Progress
) -> ImportReport:
    """Import a source, or some of its experiments by name, and check what arrived.

    `new_ids`: runs get ids made of their own and the tenant's, for a second copy of them on one server.
    """
    api = api_of(client)
    try:
        return _Import(client, api, source, new_ids=new_ids, progress=progress).run(experiments)
    finally:
        api.close()


def api_of(client: Client) -> MlflowApi:
    """MLflow's protocol with the server of a client, as the same caller."""
    headers = {}
    if client.settings.api_key is not None:
        headers["Authorization"] = f"Bearer {client.settings.api_key}"
    if client.settings.tenant is not None:
        headers["X-Tenant-ID"] = client.settings.tenant
    return MlflowApi(client.settings.url, headers=headers)


class _Import:
    def __init__(self, client: Client, api: MlflowApi, source: Source, *, new_ids: bool, progress: Progress) -> None:
        self.client = client
        self._api = api
        self.source = source
        self._new_ids = new_ids
        self._progress = progress
        self.left_out = LeftOut()
        self.models = ModelImport(api, source, self.left_out, progress)
        self._checks: list[RunCheck] = []
        self._items: list[ItemCheck] = []

    def run(self, wanted: Sequence[str]) -> ImportReport:
        found = [each for each in self.source.experiments() if not wanted or each.name in wanted]
        for name in sorted(set(wanted) - {each.name for each in found}):
            self._skip("experiment", name, "the source has none of this name")
        for experiment in found:
            self._experiment(experiment)
        self._items += self.models.registered()
        for kind, count in self.source.left_out():
            self._skip(kind, "", "they are not imported", count)
        names = ", ".join(each.name for each in found)
        return report_of(FORMAT, self.source.name, names, self._checks, self.left_out, items=self._items)

    def _experiment(self, experiment: SourceExperiment) -> None:
        into = self._make_experiment(experiment)
        runs = list(self.source.runs(experiment.experiment_id))
        ids = {run.run_id: self._id_of(run) for run in runs}
        self.models.runs |= {run.run_id: (ids[run.run_id], run.artifact_uri) for run in runs}
        for done, run in enumerate(runs):
            self._progress("importing", f"{experiment.name}: {run.run_name or run.run_id}", done, len(runs))
            self._checks.append(_RunImport(self, run, ids[run.run_id], into).run())
        self._items += self.models.of_experiment(experiment.experiment_id, str(into.number))
        is_kept = experiment.lifecycle_stage == "active"
        for run in runs:
            linked = send_links(self._api, run, ids[run.run_id])
            if linked is not None:
                self._items.append(linked)
            # Archiving the experiment takes its runs with it.
            if run.lifecycle_stage == "deleted" and is_kept:
                self.client.runs.archive(ids[run.run_id])
        if not is_kept:
            self.client.experiments.archive(into.id)

    def _make_experiment(self, experiment: SourceExperiment) -> ExperimentResponse:
        name = clean_key(experiment.name, _MAX_NAME)
        if name != experiment.name:
            self._skip("name of experiment", experiment.name, f"it is called {name!r} here")
        try:
            self._api.post(
                "experiments/create",
                dict[str, str],
                name=name,
                experiment_id=experiment.experiment_id if _NUMBER.fullmatch(experiment.experiment_id) else None,
                creation_time=experiment.creation_time,
            )
        except Refused as refused:
            if refused.code != "RESOURCE_ALREADY_EXISTS":
                raise
        into = self.client.experiments.find(name)
        assert into is not None, "it was made, or there already"
        if into.lifecycle_stage == "deleted":
            into = self.client.experiments.restore(into.id)
        if str(into.number) != experiment.experiment_id:
            self._skip("id of experiment", experiment.name, f"{experiment.experiment_id} is {into.number} here")
        tags = {
            key: value
            for pair in experiment.tags
            for key, value in self.fitting(experiment.name, "tag", pair.key, pair.value, _MAX_TAG)
        }
        if tags:
            into = self.client.experiments.update(into.id, tags=tags)
            unequal = [f"tag {key}" for key, value in tags.items() if into.tags.get(key) != value]
            self._items.append(ItemCheck("experiment", name, unequal, equal=not unequal))
        return into

    def _id_of(self, run: SourceRun) -> str:
        if _UID.fullmatch(run.run_id) and not self._new_ids:
            return run.run_id
        if not self._new_ids:
            self._skip("id of run", run.run_id, "ids have 32 hex digits here, so it gets another")
        tenant = self.client.settings.tenant or ""
        return run_id_for(FORMAT, tenant, run.run_id, start_ms=run.start_time or 0)

    def fitting(self, owner: str, kind: str, key: str, value: str, longest: int) -> Iterator[tuple[str, str]]:
        """The pair as it can be kept; what was changed, or cannot be kept, is reported."""
        clean = value.replace("\0", "")[:longest]
        if not key or clean_key(key, _MAX_KEY) != key:
            self.left_out.add(owner, kind=kind, name=key, reason="its key is longer than 250 characters, or not a line")
            return
        if clean != value:
            self.left_out.add(owner, kind=kind, name=key, reason=f"its value is cut to {longest} characters")
        yield key, clean

    def _skip(self, kind: str, name: str, reason: str, count: int = 1) -> None:
        self.left_out.add(self.source.name, kind=kind, name=name, reason=reason, count=count)


class _RunImport:
    """One run."""

    def __init__(self, whole: _Import, run: SourceRun, uid: str, into: ExperimentResponse) -> None:
        self._whole = whole
        self._client = whole.client
        self._source = whole.source
        self._run = run
        self._into = into
        self._label = run.run_name or run.run_id
        self._to = Destination(self._client, uid, progress=lambda _: None)
        self._start, self._end = self._times()

    def run(self) -> RunCheck:
        run, to = self._run, self._to
        self._open()
        self._texts()
        self._points()
        self._files()
        if run.status in _ENDS:
            to.end(_ENDS[run.status], self._end or 0)
        elif run.status != "RUNNING":
            self._skip("status", run.status, "the run is called running here")
        return check_run(self._client, to.run_id, to.expected, source=run.run_id, sent=to.sent, progress=lambda _: None)

    def _open(self) -> None:
        run, to = self._run, self._to
        try:
            known = self._client.runs.get(to.run_id)
        except ApiError as error:
            if error.code == "tenant_access_denied":
                raise GnomonError(
                    f"run {to.run_id} is in another tenant of this server already; --new-ids imports a second copy"
                ) from error
            if error.status != 404:
                raise
        else:
            if known.lifecycle_stage == "deleted":  # by an earlier import
                self._client.runs.restore(to.run_id)
        name = clean_key(run.run_name, _MAX_RUN_NAME) if run.run_name else None
        to.begin(RunBegin(experiment_id=self._into.id, name=name, start_time=self._start))

    def _texts(self) -> None:
        run = self._run
        tags = {key: value for key, value in run.tags.items() if key != _RUN_NAME}
        if run.user_id:
            tags.setdefault(_USER, run.user_id)
        fitting = self._whole.fitting
        self._to.texts(
            params=dict(
                pair
                for key, value in run.params.items()
                for pair in fitting(self._label, "param", key, value, _MAX_PARAM)
            ),
            tags=dict(
                pair for key, value in tags.items() for pair in fitting(self._label, "tag", key, value, _MAX_TAG)
            ),
        )

    def _points(self) -> None:
        # What was read before is passed over; a run that has grown is sent anew.
        writer = self._to.points_again(f"{FORMAT}:{self._run.run_id}:{self._run.state}")
        last: tuple[str, Point] | None = None
        for key, point in self._source.points(self._run):
            step, time_ms, value = point
            if last is not None and last[0] == key and _is_same(last[1], point):
                continue
            last = (key, point)
            if value != value:
                self._whole.models.nans.add((self._run.run_id, key, step, time_ms))
            if abs(step) > _MAX_STEP or not 0 <= time_ms <= _MAX_TIME_MS:
                self._skip("point", key, "its step is above 2^53, or its time not between 1970 and 9999")
            elif clean_key(key, _MAX_KEY) != key:
                self._skip("metric", key, "its key is longer than 250 characters, or not a line")
            else:
                writer.add(key, step, time_ms, value)
        writer.flush()

    def _files(self) -> None:
        try:
            tree = self._source.files(self._run.artifact_uri)
        except Unreachable as error:
            self._skip("files", self._run.artifact_uri, str(error))
            return
        for path in tree.walk():
            try:
                with tree.fetch(path) as file:
                    self._to.file(path, file)
            except Unreachable as error:
                self._skip("file", path, str(error))
            except ApiError as error:
                if error.status != 400:
                    raise
                self._to.expected.files.pop(path, None)
                self._skip("file", path, error.detail)

    def _times(self) -> tuple[int | None, int | None]:
        """Start and end as they can be kept, the end never before the start; what differs is reported."""
        start = self._bounded("start", self._run.start_time)
        end = self._bounded("end", self._run.end_time)
        if self._run.status not in _ENDS:
            return start, end
        if start is None:
            start = end or 0
            self._skip("time", "start", "the source has none; the run's end, or 1970, stands for it")
        if end is not None and end < start:
            self._skip("time", "end", "it is before the start, which stands for it")
        return start, max(start, end or 0)

    def _bounded(self, which: str, time_ms: int | None) -> int | None:
        if time_ms is None or 0 <= time_ms <= _MAX_TIME_MS:
            return time_ms
        self._skip("time", which, "it is moved to between 1970 and 9999")
        return min(max(time_ms, 0), _MAX_TIME_MS)

    def _skip(self, kind: str, name: str, reason: str) -> None:
        self._whole.left_out.add(self._label, kind=kind, name=name, reason=reason)


def _is_same(one: Point, other: Point) -> bool:
    """As the server has it: every NaN is one value, and the zeros are two."""
    if one[:2] != other[:2]:
        return False
    if one[2] != one[2]:
        return other[2] != other[2]
    return one[2] == other[2] and math.copysign(1, one[2]) == math.copysign(1, other[2])
