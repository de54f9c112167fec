"""The SQL of logged models: their rows, params, tags and metrics, and finding them."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.registry import LoggedModel, ModelMetric, ModelOrder, ModelUid
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.clauses import Attribute, KeyedValues, conditions
from gnomon_server.store.meta.upsert import upsert

_IN_LIST = 1_000
_COLUMNS = [
    *(
        m.logged_model.c[name]
        for name in (
            "id",
            "uid",
            "experiment",
            "source_run",
            "name",
            "model_type",
            "status",
            "created_ms",
            "updated_ms",
        )
    ),
    t.experiment.c.number,
    t.experiment.c.artifact_location,
]
_SOURCE = m.logged_model.join(t.experiment, t.experiment.c.id == m.logged_model.c.experiment)


def find_row(connection: Connection, uid: str) -> RowId | None:
    """The row of an active model."""
    c = m.logged_model.c
    row = connection.scalar(sa.select(c.id).where(c.uid == uid, c.lifecycle_stage == "active"))
    return None if row is None else RowId(row)


def find_model(connection: Connection, uid: str) -> LoggedModel | None:
    """An active model with all that is known of it."""
    row = find_row(connection, uid)
    found = [] if row is None else read_models(connection, [row])
    return found[0] if found else None


def has_model(connection: Connection, uid: str) -> bool:
    """Whether the tenant has, or had, a model of this id."""
    query = sa.select(m.logged_model.c.id).where(m.logged_model.c.uid == uid)
    return connection.scalar(query) is not None


def read_models(connection: Connection, rows: Sequence[RowId]) -> list[LoggedModel]:
    """The models of these rows, in this order."""
    by_row: dict[RowId, LoggedModel] = {}
    for start in range(0, len(rows), _IN_LIST):
        part = rows[start : start + _IN_LIST]
        query = sa.select(*_COLUMNS).select_from(_SOURCE).where(m.logged_model.c.id.in_(part))
        params, tags = _pairs(connection, m.logged_model_param, part), _pairs(connection, m.logged_model_tag, part)
        metrics = _metrics(connection, part)
        for row in connection.execute(query):
            by_row[RowId(row.id)] = LoggedModel(
                row=RowId(row.id),
                uid=ModelUid(row.uid),
                experiment=RowId(row.experiment),
                experiment_number=row.number,
                artifact_location=row.artifact_location,
                source_run=row.source_run,
                name=row.name,
                model_type=row.model_type,
                status=row.status,
                created_ms=row.created_ms,
                updated_ms=row.updated_ms,
                params=params[row.id],
                tags=tags[row.id],
                metrics=metrics[row.id],
            )
    return [by_row[row] for row in rows if row in by_row]


def insert_model(connection: Connection, tenant: TenantId, **values: str | int) -> RowId:
    """Make a pending model."""
    row = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(m.logged_model.c.id) + 1, 1))) or 1
    fixed = {"tenant": tenant, "id": row, "status": "pending", "lifecycle_stage": "active"}
    connection.execute(sa.insert(m.logged_model_base).values(**fixed, **values))
    return RowId(row)


def update_model(connection: Connection, tenant: TenantId, row: RowId, **values: str | int) -> None:
    base = m.logged_model_base
    connection.execute(sa.update(base).where(base.c.tenant == tenant, base.c.id == row).values(**values))


def set_params(connection: Connection, tenant: TenantId, row: RowId, params: Mapping[str, str]) -> None:
    _set_pairs(connection, tenant, m.logged_model_param_base, row, params)


def set_tags(connection: Connection, tenant: TenantId, row: RowId, tags: Mapping[str, str]) -> None:
    _set_pairs(connection, tenant, m.logged_model_tag_base, row, tags)


def delete_tag(connection: Connection, tenant: TenantId, row: RowId, key: str) -> None:
    base = m.logged_model_tag_base.c
    where = (base.tenant == tenant, base.model == row, base.key == key)
    connection.execute(sa.delete(m.logged_model_tag_base).where(*where))


def set_metrics(connection: Connection, tenant: TenantId, metrics: Sequence[tuple[RowId, ModelMetric]]) -> None:
    """Move metrics forward: a point that is not before the one kept, by (step, time), replaces it."""
    base = m.logged_model_metric_base
    rows = [
        {
            "tenant": tenant,
            "model": row,
            "key": metric.key,
            "run": metric.run,
            "dataset_name": metric.dataset_name,
            "dataset_digest": metric.dataset_digest,
            "value": None if metric.value != metric.value else metric.value,
            "step": metric.step,
            "time_ms": metric.time_ms,
        }
        for row, metric in metrics
    ]
    insert = upsert(connection, base)
    new = insert.excluded
    is_later = sa.or_(new.step > base.c.step, sa.and_(new.step == base.c.step, new.time_ms >= base.c.time_ms))
    statement = insert.on_conflict_do_update(
        index_elements=["tenant", "model", "key", "run", "dataset_name", "dataset_digest"],
        set_={name: new[name] for name in ("value", "step", "time_ms")},
        where=is_later,
    )
    if rows:
        connection.execute(statement, rows)


def search_models(
    connection: Connection,
    clauses: Sequence[Clause],
    order: Sequence[ModelOrder],
    *,
    experiments: Sequence[RowId],
    datasets: Sequence[tuple[str, str]],
    limit: int,
    offset: int,
) -> tuple[int, list[RowId]]:
    """A page of the active models that match, the newest first, and how many do.

    With `datasets` (name and digest, "" is any), those that were measured on one of them; a clause on a metric holds
    where it was measured there.
    """
    c = m.logged_model.c
    attributes: dict[str, Attribute] = {
        "name": c.name,
        "model_id": c.uid,
        "model_type": c.model_type,
        "status": c.status,
        "source_run_id": c.source_run,
        "creation_timestamp": c.created_ms,
        "last_updated_timestamp": c.updated_ms,
        "experiment_id": sa.cast(t.experiment.c.number, sa.Text),
    }
    tag, param, metric = m.logged_model_tag.c, m.logged_model_param.c, m.logged_model_metric.c
    measured = [
        sa.and_(metric.dataset_name == name, sa.true() if not digest else metric.dataset_digest == digest)
        for name, digest in datasets
    ]
    on_dataset = sa.or_(*measured) if measured else sa.true()
    keyed = {
        "tag": KeyedValues(lambda key: sa.select(tag.model).where(tag.model == c.id, tag.key == key), tag.value),
        "param": KeyedValues(
            lambda key: sa.select(param.model).where(param.model == c.id, param.key == key), param.value
        ),
        "metric": KeyedValues(
            lambda key: sa.select(metric.model).where(metric.model == c.id, metric.key == key, on_dataset),
            metric.value,
        ),
    }
    where = conditions(connection, clauses, attributes, keyed)  # type: ignore[arg-type]  # its keys are kinds
    where += [c.lifecycle_stage == "active", c.experiment.in_(experiments)]
    if measured:
        where.append(sa.exists().where(metric.model == c.id, on_dataset))
    total = connection.scalar(sa.select(sa.func.count()).select_from(_SOURCE).where(*where)) or 0
    by: list[sa.ColumnElement[bool] | Attribute] = []
    for item in order:
        value = _metric_order(item) if item.is_metric else attributes[item.key]
        by += [value.is_(None), value.desc() if item.descending else value.asc()]
    page = sa.select(c.id).select_from(_SOURCE).where(*where)
    page = page.order_by(*by, c.created_ms.desc(), c.id.desc()).limit(limit).offset(offset)
    return total, [RowId(row) for row in connection.scalars(page)]


def _metric_order(item: ModelOrder) -> sa.ColumnElement[float]:
    """The newest value of a metric of the model at hand."""
    c = m.logged_model_metric.c
    where = [c.model == m.logged_model.c.id, c.key == item.key]
    if item.dataset_name:
        where.append(c.dataset_name == item.dataset_name)
    if item.dataset_digest:
        where.append(c.dataset_digest == item.dataset_digest)
    newest = sa.select(c.value).where(*where).order_by(c.time_ms.desc(), c.step.desc()).limit(1)
    return newest.correlate(m.logged_model).scalar_subquery()


def _pairs(connection: Connection, view: sa.Table, rows: Sequence[RowId]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {row: {} for row in rows}
    query = sa.select(view.c.model, view.c.key, view.c.value).where(view.c.model.in_(rows)).order_by(view.c.key)
    for model, key, value in connection.execute(query):
        found[model][key] = value
    return found


def _metrics(connection: Connection, rows: Sequence[RowId]) -> dict[int, list[ModelMetric]]:
    found: dict[int, list[ModelMetric]] = {row: [] for row in rows}
    view = m.logged_model_metric
    names = ("key", "value", "step", "time_ms", "run", "dataset_name", "dataset_digest")
    query = sa.select(view.c.model, *(view.c[name] for name in names)).where(view.c.model.in_(rows))
    for model, key, value, *rest in connection.execute(query.order_by(view.c.key, view.c.time_ms)):
        found[model].append(ModelMetric(key, float("nan") if value is None else value, *rest))
    return found


def _set_pairs(connection: Connection, tenant: TenantId, base: sa.Table, row: RowId, values: Mapping[str, str]) -> None:
    if not values:
        return
    insert = upsert(connection, base)
    statement = insert.on_conflict_do_update(
        index_elements=["tenant", "model", "key"], set_={"value": insert.excluded.value}
    )
    rows = [{"tenant": tenant, "model": row, "key": key, "value": value} for key, value in values.items()]
    connection.execute(statement, rows)
