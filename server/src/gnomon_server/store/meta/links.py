"""The SQL of what runs took in and gave out: datasets and logged models."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.registry import Dataset, DatasetInput, DatasetUse, ModelRole, ModelUse, RunLinks
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.run_values import ids_in, sent_ids
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotSelect

_IN_LIST = 1_000
_DATASET = ("name", "digest", "source_type", "source", "schema", "profile")
_decode_tags = msgspec.json.Decoder(dict[str, str]).decode


def add_datasets(
    connection: Connection, tenant: TenantId, run: RowId, experiment: RowId, inputs: Sequence[DatasetInput]
) -> None:
    """Add inputs to a run. A dataset is kept as it was first logged in the experiment, an input as in the run."""
    unique: dict[tuple[str, str], DatasetInput] = {}
    for one in inputs:
        unique.setdefault((one.dataset.name, one.dataset.digest), one)
    ids = _dataset_ids(connection, tenant, experiment, [one.dataset for one in unique.values()])
    insert = upsert(connection, m.run_dataset_base).on_conflict_do_nothing()
    rows = [
        {
            "tenant": tenant,
            "run": run,
            "dataset": ids[key],
            "context": one.context,
            "tags": msgspec.json.encode(one.tags).decode(),
        }
        for key, one in unique.items()
    ]
    if rows:
        connection.execute(insert, rows)


def add_models(connection: Connection, tenant: TenantId, run: RowId, role: ModelRole, uses: Sequence[ModelUse]) -> None:
    """Add logged models to what a run took in or gave out; the same again changes nothing."""
    rows = [{"tenant": tenant, "run": run, "role": role, "model": use.model, "step": use.step} for use in uses]
    if rows:
        connection.execute(upsert(connection, m.run_model_base).on_conflict_do_nothing(), rows)


def read_links(connection: Connection, runs: Sequence[RowId]) -> Mapping[RowId, RunLinks]:
    """What some runs took in and gave out; runs with neither are left out."""
    datasets: dict[RowId, list[DatasetInput]] = {}
    models: dict[tuple[RowId, str], list[ModelUse]] = {}
    asked = (sent_ids(connection, runs),)
    for run, context, tags, *columns in _DATASETS.run(connection, asked):
        found = DatasetInput(Dataset(*columns), context, _decode_tags(tags))
        datasets.setdefault(RowId(run), []).append(found)
    for run, role, uid, step in _MODELS.run(connection, asked):
        models.setdefault((RowId(run), role), []).append(ModelUse(uid, step))
    linked = {*datasets, *(run for run, _ in models)}
    return {
        run: RunLinks(datasets.get(run, ()), models.get((run, "input"), ()), models.get((run, "output"), ()))
        for run in linked
    }


def list_datasets(connection: Connection, experiments: Sequence[RowId], *, limit: int) -> list[DatasetUse]:
    """The datasets of some experiments, once for each context that a run used them in."""
    used, data = m.run_dataset.c, m.dataset.c
    query = (
        sa.select(t.experiment.c.number, data.name, data.digest, used.context)
        .select_from(
            m.run_dataset.join(m.dataset, data.id == used.dataset).join(
                t.experiment, t.experiment.c.id == data.experiment
            )
        )
        .where(data.experiment.in_(experiments))
        .distinct()
        .order_by(t.experiment.c.number, data.name, data.digest, used.context)
        .limit(limit)
    )
    return [DatasetUse(*row) for row in connection.execute(query)]


def _dataset_ids(
    connection: Connection, tenant: TenantId, experiment: RowId, datasets: Sequence[Dataset]
) -> dict[tuple[str, str], int]:
    c = m.dataset.c
    names = [dataset.name for dataset in datasets]
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(names), _IN_LIST):
        part = names[start : start + _IN_LIST]
        query = sa.select(c.name, c.digest, c.id).where(c.experiment == experiment, c.name.in_(part))
        found.update(((name, digest), row) for name, digest, row in connection.execute(query))
    new = [dataset for dataset in datasets if (dataset.name, dataset.digest) not in found]
    first = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(c.id), 0) + 1)) or 1
    rows = []
    for place, dataset in enumerate(new):
        found[(dataset.name, dataset.digest)] = first + place
        columns = {name: getattr(dataset, name) for name in _DATASET}
        rows.append({"tenant": tenant, "id": first + place, "experiment": experiment, **columns})
    if rows:
        connection.execute(sa.insert(m.dataset_base), rows)
    return found


def _datasets(connection: Connection) -> "sa.Select[Any]":
    used, data = m.run_dataset.c, m.dataset.c
    return (
        sa.select(used.run, used.context, used.tags, *(data[name] for name in _DATASET))
        .select_from(m.run_dataset.join(m.dataset, data.id == used.dataset))
        .where(ids_in(connection, used.run, "runs"))
        .order_by(used.run, used.dataset)
    )


def _models(connection: Connection) -> "sa.Select[Any]":
    model = m.run_model.c
    uses = sa.select(model.run, model.role, model.model, model.step).where(ids_in(connection, model.run, "runs"))
    return uses.order_by(model.run, model.step, model.model)


_DATASETS = HotSelect(("runs",), _datasets)
_MODELS = HotSelect(("runs",), _models)
