"""Experiments and runs as frames: `client.experiment("fraud").runs(...)`, `client.run(id).history(...)`.

Invariants:
- Full fidelity: values are doubles bit for bit, NaN and infinities among them; times are milliseconds with their zone;
  what a run does not have is null, never NaN.
- Fast: points come from the server as Arrow and are never Python objects; pages of runs become columns at once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gnomon.client.experiments import PAGE, Experiments
from gnomon.client.metrics import Metrics
from gnomon.client.records import Run
from gnomon.client.runs import Runs
from gnomon.errors import GnomonError, MissingExtra
from gnomon.values import ranked_key, split_rank
from gnomon.wire import ExperimentResponse, LifecycleStage

if TYPE_CHECKING:
    import pyarrow as pa

    # pandas and polars are the caller's choice and have types only where they are installed.
    PandasFrame = Any
    PolarsFrame = Any

# Without an order of the caller's: what begins meanwhile comes last and shifts no page.
_OLDEST_FIRST = "start_time asc"
_ID_DIGITS = frozenset("0123456789abcdef")


class Frame:
    """A table that becomes what the caller works with."""

    def __init__(self, table: "pa.Table") -> None:
        self._table = table

    def arrow(self) -> "pa.Table":
        """As an Arrow table."""
        return self._table

    def pandas(self) -> "PandasFrame":
        """As a pandas frame whose columns keep Arrow's types, so that null and NaN stay apart."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtra("pandas", extra="pandas", purpose="a pandas frame") from error
        return self._table.to_pandas(types_mapper=pd.ArrowDtype)

    def polars(self) -> "PolarsFrame":
        """As a polars frame."""
        try:
            import polars as pl
        except ImportError as error:
            raise MissingExtra("polars", extra="polars", purpose="a polars frame") from error
        return pl.from_arrow(self._table)

    @property
    def columns(self) -> list[str]:
        return [*self._table.column_names]

    def __len__(self) -> int:
        rows: int = self._table.num_rows
        return rows

    def __repr__(self) -> str:
        return f"Frame({len(self)} rows, {len(self.columns)} columns)"


class RunReader:
    """One run to read from."""

    def __init__(self, info: Run, metrics: Metrics, runs: Runs) -> None:
        self.info = info
        self._metrics = metrics
        self._runs = runs

    @property
    def id(self) -> str:
        return self.info.id

    def history(self, keys: str | Sequence[str] = (), *, rank: int | None = None, wide: bool = False) -> Frame:
        """Every point of these metrics (none: of all): `key`, `rank`, `step`, `timestamp`, `value`, in that order.

        Of a metric that several processes logged, the points of each `rank`, or of the one that is asked for.
        `wide`: a row for each step and a column for each metric instead (`loss`, `loss{rank=1}`); of several points at
        one step the last counts.
        """
        pa = _pyarrow()
        names = self._names([keys] if isinstance(keys, str) else [*keys], rank)
        table = self._metrics.history_arrow(self.id, names)
        if rank is not None and not names:
            table = _of_rank(table, rank)
        if wide:
            return Frame(_widened(table, names))
        time = table.schema.get_field_index("timestamp")
        moments = table.column(time).cast(pa.timestamp("ms", tz="UTC"))
        return Frame(_with_ranks(table.set_column(time, "timestamp", moments)))

    def _names(self, keys: list[str], rank: int | None) -> list[str]:
        """The series of these metrics; without a rank those of all that the run has."""
        if rank is not None:
            return [ranked_key(key, rank) if rank else key for key in keys]
        if not keys:
            return []
        ranks: dict[str, list[tuple[int, str]]] = {}
        for name in self._runs.get(self.id).metrics:
            metric, of = split_rank(name)
            if of:
                ranks.setdefault(metric, []).append((of, name))
        return [
            *dict.fromkeys(name for key in keys for name in (key, *(each for _, each in sorted(ranks.get(key, [])))))
        ]

    def __repr__(self) -> str:
        return f"RunReader({self.id!r}, name={self.info.name!r})"


class ExperimentReader:
    """One experiment to read from."""

    def __init__(self, info: ExperimentResponse, experiments: Experiments, runs: Runs) -> None:
        self.info = info
        self._experiments = experiments
        self._runs = runs

    @property
    def id(self) -> str:
        return self.info.id

    def runs(
        self,
        filter: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        order_by: str | Sequence[str] = _OLDEST_FIRST,
        lifecycle_stage: LifecycleStage = "active",
    ) -> Frame:
        """Its runs, a row each, those that match `filter` (`metrics.loss < 0.3 and params.opt = 'adam'`).

        Without `columns`: what a run is, `params.…` as text, `metrics.…` with their latest values, `tags.…`. With them,
        those alone beside `run_id`, any aggregate among them (`metrics.loss.min`), quicker where runs have much.
        """
        if columns is not None:
            return self._chosen(columns, filter, order_by, lifecycle_stage)
        found = self._runs.iterate([self.id], filter=filter, order_by=order_by, lifecycle_stage=lifecycle_stage)
        return Frame(_runs_table([*found]))

    def __repr__(self) -> str:
        return f"ExperimentReader({self.info.name!r}, {self.info.run_count} runs)"

    def _chosen(
        self, columns: Sequence[str], filter: str | None, order_by: str | Sequence[str], stage: LifecycleStage
    ) -> Frame:
        pa = _pyarrow()
        ids: list[str] = []
        values: dict[str, list[str | float | None]] = {name: [] for name in columns}
        while True:
            page = self._experiments.table(
                self.id,
                columns,
                filter=filter,
                order_by=order_by,
                lifecycle_stage=stage,
                limit=PAGE,
                offset=len(ids),
            )
            ids += page.run_ids
            for name in columns:
                values[name] += page.columns[name]
            if not page.run_ids or len(ids) >= page.total:
                break
        made = {name: pa.array(column, _type_of(name, column)) for name, column in values.items()}
        return Frame(pa.table({"run_id": pa.array(ids, pa.string())} | made))


def find_experiment(experiments: Experiments, name_or_id: str) -> ExperimentResponse:
    """The experiment of this id, or exactly this name. Raises `NotFound`, or `GnomonError` for a name."""
    if len(name_or_id) == 32 and _ID_DIGITS.issuperset(name_or_id):
        return experiments.get(name_or_id)
    found = experiments.find(name_or_id)
    if found is None:
        raise GnomonError(f"there is no experiment named {name_or_id!r}; `gnomon experiments list` shows them")
    return found


def _runs_table(runs: Sequence[Run]) -> "pa.Table":
    pa = _pyarrow()
    text, moment = pa.string(), pa.timestamp("ms", tz="UTC")
    facts: list[tuple[str, Any, Callable[[Run], object]]] = [
        ("run_id", text, lambda run: run.id),
        ("name", text, lambda run: run.name),
        ("status", text, lambda run: run.status),
        ("start_time", moment, lambda run: datetime.fromisoformat(run.start_time)),
        ("end_time", moment, lambda run: None if run.end_time is None else datetime.fromisoformat(run.end_time)),
        ("duration_ms", pa.int64(), lambda run: run.duration_ms),
        ("description", text, lambda run: run.description),
        ("created_by", text, lambda run: run.created_by),
    ]
    columns = {name: pa.array([of(run) for run in runs], kind) for name, kind, of in facts}
    for room, kind in (("params", text), ("metrics", pa.float64()), ("tags", text)):
        for key in sorted({key for run in runs for key in getattr(run, room)}):
            columns[f"{room}.{key}"] = pa.array([getattr(run, room).get(key) for run in runs], kind)
    return pa.table(columns)


def _of_rank(table: "pa.Table", rank: int) -> "pa.Table":
    import pyarrow.compute as pc

    names = pc.unique(table.column("key")).to_pylist()
    kept = _pyarrow().array([name for name in names if split_rank(name)[1] == rank], _pyarrow().string())
    return table.filter(pc.is_in(table.column("key").cast(_pyarrow().string()), kept))


def _with_ranks(table: "pa.Table") -> "pa.Table":
    """What the names of the series say of ranks, in a column of its own."""
    import pyarrow as pa

    series = table.column("key")
    split = [(split_rank(name), name) for name in series.unique().to_pylist()]
    if not any(rank for (_, rank), _ in split):
        return table.add_column(1, "rank", pa.repeat(pa.scalar(0, pa.int32()), table.num_rows))
    encoded = series.combine_chunks()
    names = encoded.dictionary.to_pylist()
    metrics = pa.array([split_rank(name)[0] for name in names]).take(encoded.indices)
    ranks = pa.array([split_rank(name)[1] for name in names], pa.int32()).take(encoded.indices)
    table = table.set_column(0, "key", metrics).add_column(1, "rank", ranks)
    # The sort is stable, so within a series the points stay as they came: by step, then by arrival.
    table = table.sort_by([("key", "ascending"), ("rank", "ascending")])
    return table.set_column(0, "key", table.column("key").dictionary_encode())


def _widened(table: "pa.Table", keys: Sequence[str]) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = table.set_column(0, "key", table.column("key").cast(pa.string()))
    names = [*keys] or sorted(set(plain.column("key").unique().to_pylist()))
    steps = pa.table({"step": pc.unique(plain.column("step"))}).sort_by("step")
    for name in names:
        own = plain.filter(pc.equal(plain.column("key"), name)).select(["step", "value"])
        last = own.group_by("step", use_threads=False).aggregate([("value", "last")])
        steps = steps.join(last.rename_columns({"value_last": name}), "step", join_type="left outer").sort_by("step")
    return steps


def _type_of(column: str, values: Sequence[str | float | None]) -> "pa.DataType":
    """Metrics are doubles; of anything else the values say what they are."""
    pa = _pyarrow()
    kinds = {type(value) for value in values if value is not None}
    if column.startswith("metrics."):
        return pa.float64()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def _pyarrow() -> Any:  # a module without types
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("pyarrow", extra="arrow", purpose="a frame") from error
    return pa
