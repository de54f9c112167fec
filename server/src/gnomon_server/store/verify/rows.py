"""Whether rows refer to rows that are there, and whether what is counted beside the rows is what there is.

Each question is one statement over a whole table, for a connection that sees every tenant. A database holds to the
foreign keys by itself; they are asked for all the same, for a disk or a hand does not. `REFERENCES` are those that no
foreign key says.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.quotas import QUOTAS
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import usage
from gnomon_server.store.meta.tenants import list_tenants
from gnomon_server.store.verify.verdicts import MOST_NAMED, Finding


class Reference(NamedTuple):
    """Columns of a table that name a row of another one."""

    child: sa.Table
    columns: Sequence[str]
    parent: sa.Table
    named: Sequence[str]
    where: sa.ColumnElement[bool] | None = None


def _to_key(child: sa.Table) -> Reference:
    return Reference(child, ("tenant", "key"), t.key_base, ("tenant", "id"))


_TO_VERSION = ("tenant", "registered", "version")
_OF_KEYS = (t.param_base, t.tag_base, t.series_base, t.chunk_base, t.key_count_base)
REFERENCES = (
    *map(_to_key, _OF_KEYS),
    *(
        Reference(table, ("tenant",), t.tenant_base, ("id",))
        for table in (t.experiment_base, t.key_base, t.blob_base, m.registered_model_base)
    ),
    Reference(m.model_alias_base, _TO_VERSION, m.model_version_base, _TO_VERSION),
    Reference(
        m.model_version_tag_base, _TO_VERSION, m.model_version_base, _TO_VERSION, m.model_version_tag_base.c.version > 0
    ),
)


def references() -> Iterator[Reference]:
    """Every way in which a row names another."""
    for table in t.metadata.sorted_tables:
        for constraint in sorted(table.foreign_key_constraints, key=lambda each: tuple(each.column_keys)):
            named = [element.column.name for element in constraint.elements]
            yield Reference(table, constraint.column_keys, constraint.referred_table, named)
    yield from REFERENCES


def find_dangling(connection: Connection, reference: Reference) -> list[Finding]:
    """The first rows whose reference names nothing."""
    child, parent = reference.child, reference.parent.alias("parent")
    columns = [child.c[name] for name in reference.columns]
    pairs = list(zip(columns, (parent.c[name] for name in reference.named), strict=True))
    query: sa.Select[Any] = (
        sa.select(*child.primary_key.columns)
        .select_from(child.outerjoin(parent, sa.and_(*(column == other for column, other in pairs))))
        .where(pairs[-1][1].is_(None), *(column.is_not(None) for column in columns))
        .order_by(*child.primary_key.columns)
        .limit(MOST_NAMED)
    )
    if reference.where is not None:
        query = query.where(reference.where)
    says = f"it names a row of {reference.parent.name} that is not there"
    return [Finding(f"{child.name} {_of(row)}", says) for row in _asked(connection, query)]


def count_rows(connection: Connection, table: sa.Table) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def find_miscounted(connection: Connection) -> Iterator[list[Finding]]:
    """Counts that stand in a row and are not what there is, one kind after the other."""
    yield _differing(connection, "key_count_", ("tenant", "experiment", "kind", "key"), *_key_counts())
    yield _differing(connection, "blob_", ("tenant", "sha256"), *_references_to_contents())
    yield [
        Finding(f"experiment_ {_of(which)}", f"its row counts {counted} runs, there are {there}")
        for *which, counted, there in _asked(connection, _run_counts())
    ]
    b = t.blob_base.c
    odd = sa.select(b.tenant, b.sha256).where((b.refs > 0) != b.unused_ms.is_(None)).limit(MOST_NAMED)
    says = "whether it is in use and since when it is not do not fit"
    yield [Finding(f"blob_ {_of(row)}", says) for row in _asked(connection, odd)]
    for files in (t.artifact_base, m.model_artifact_base):
        yield [
            Finding(f"{files.name} {_of(row)}", "its size is not that of its content")
            for row in _asked(connection, _sizes(files))
        ]
    for values in (t.param_base, t.tag_base, t.series_base):
        yield [
            Finding(f"{values.name} {_of(row)}", "it is not counted to the experiment of its run")
            for row in _asked(connection, _experiments(values))
        ]


def find_usage(connection: Connection) -> list[Finding]:
    """Tenants whose counters of quotas are not what they keep."""
    findings = []
    for tenant, name in list_tenants(connection):
        counted, kept = usage.read_counters(connection, tenant), usage.count_anew(connection, tenant, is_system=True)
        for quota in (each for each in QUOTAS if counted.of(each) != kept.of(each)):
            says = f"{counted.of(quota)} are counted for its quota, it keeps {kept.of(quota)}"
            findings.append(Finding(f"{quota} of tenant {name}", says))
    return findings


def _asked(connection: Connection, query: sa.Select[Any]) -> list[list[Any]]:
    return [list(row) for row in connection.execute(query)]


def _differing(
    connection: Connection, table: str, columns: Sequence[str], counted: sa.Table, there: sa.CompoundSelect[Any]
) -> list[Finding]:
    """Rows whose count is not the number of rows that it counts."""
    name = counted.c.runs if "runs" in counted.c else counted.c.refs
    own = sa.select(*(counted.c[each] for each in columns), (-name).label("number"))
    both = sa.union_all(*there.selects, own).subquery()
    of = [both.c[each] for each in columns]
    off = sa.func.sum(both.c.number)
    query = sa.select(*of, off).group_by(*of).having(off != 0).order_by(*of).limit(MOST_NAMED)
    return [
        Finding(f"{table} {_of(row[:-1])}", f"it counts {abs(row[-1])} too {'few' if row[-1] > 0 else 'many'}")
        for row in _asked(connection, query)
    ]


def _key_counts() -> tuple[sa.Table, sa.CompoundSelect[Any]]:
    kinds = (("metric", t.series_base), ("param", t.param_base), ("tag", t.tag_base))
    return t.key_count_base, sa.union_all(
        *(
            sa.select(
                table.c.tenant,
                table.c.experiment,
                sa.literal(kind, sa.Text()).label("kind"),
                table.c.key,
                sa.func.count().label("number"),
            ).group_by(table.c.tenant, table.c.experiment, table.c.key)
            for kind, table in kinds
        )
    )


def _references_to_contents() -> tuple[sa.Table, sa.CompoundSelect[Any]]:
    return t.blob_base, sa.union_all(
        *(
            sa.select(table.c.tenant, table.c.sha256, sa.func.count().label("number")).group_by(
                table.c.tenant, table.c.sha256
            )
            for table in (t.artifact_base, m.model_artifact_base)
        )
    )


def _run_counts() -> sa.Select[Any]:
    """Active runs, or of an archived experiment those that its archiving took."""
    e, r = t.experiment_base.c, t.run_base.c
    is_counted = sa.case((e.lifecycle_stage == "active", r.lifecycle_stage == "active"), else_=r.archived_with == e.id)
    number = (
        sa.select(sa.func.count())
        .select_from(t.run_base)
        .where(r.tenant == e.tenant, r.experiment == e.id, is_counted)
        .scalar_subquery()
    )
    found = sa.select(e.tenant, e.id, e.run_count, number.label("number")).subquery()
    return sa.select(found).where(found.c.run_count != found.c.number).limit(MOST_NAMED)


def _sizes(files: sa.Table) -> sa.Select[Any]:
    b = t.blob_base.c
    joined = files.join(t.blob_base, sa.and_(b.tenant == files.c.tenant, b.sha256 == files.c.sha256))
    query = sa.select(*files.primary_key.columns).select_from(joined)
    return query.where(b.size != files.c.size).limit(MOST_NAMED)


def _experiments(values: sa.Table) -> sa.Select[Any]:
    r = t.run_base.c
    joined = values.join(t.run_base, sa.and_(r.tenant == values.c.tenant, r.id == values.c.run))
    query = sa.select(*values.primary_key.columns).select_from(joined)
    return query.where(r.experiment != values.c.experiment).limit(MOST_NAMED)


def _of(row: Sequence[object]) -> str:
    return "/".join(map(str, row))
