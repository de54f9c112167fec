"""Key names: each metric, param and tag name once per tenant, as a small integer; and the catalogue of an experiment.

A key never changes and is never removed while rows name it, so its id may be cached for ever; only an undone
transaction can make a cached id wrong, and then the writer drops the cache.
"""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from gnomon_server.model.entities import KeyKind, KeyUse
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.locks import hold_names
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotInsert

_IN_LIST = 900


class KeyCache:
    """Key ids known to the writer thread, by tenant. Bounded: past the limit it starts anew."""

    def __init__(self, limit: int = 200_000) -> None:
        self._limit = limit
        self._count = 0
        self._ids: dict[TenantId, dict[str, KeyId]] = {}

    def clear(self) -> None:
        self._ids.clear()
        self._count = 0

    def resolve(self, connection: Connection, tenant: TenantId, names: Iterable[str]) -> list[KeyId]:
        """The ids of the names, in their order; names that are new get one."""
        wanted = list(names)
        ids = self._ids.setdefault(tenant, {})
        missing = set(wanted).difference(ids)
        if missing:
            if self._count > self._limit:
                self.clear()
                ids = self._ids.setdefault(tenant, {})
                missing = set(wanted)
            ids.update(_find_or_insert(connection, tenant, sorted(missing)))
            self._count += len(missing)
        return [ids[name] for name in wanted]


def find_keys(connection: Connection, names: Sequence[str]) -> dict[str, KeyId]:
    """The ids of the names that exist in the tenant of the connection."""
    found: dict[str, KeyId] = {}
    for start in range(0, len(names), _IN_LIST):
        part = names[start : start + _IN_LIST]
        query = sa.select(t.key.c.name, t.key.c.id).where(t.key.c.name.in_(part), t.key.c.context == "")
        found.update((name, KeyId(key)) for name, key in connection.execute(query))
    return found


def _find_or_insert(connection: Connection, tenant: TenantId, names: list[str]) -> dict[str, KeyId]:
    found = find_keys(connection, names)
    new = [name for name in names if name not in found]
    if new and hold_names(connection, tenant):  # another writer may have given them a number meanwhile
        found.update(find_keys(connection, new))
        new = [name for name in new if name not in found]
    if new:
        first = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(t.key.c.id), 0))) or 0
        rows = [
            {"tenant": tenant, "id": first + 1 + position, "name": name, "context": ""}
            for position, name in enumerate(new)
        ]
        connection.execute(sa.insert(t.key_base), rows)
        found.update((name, KeyId(first + 1 + position)) for position, name in enumerate(new))
    return found


def count_keys(
    connection: Connection, tenant: TenantId, kind: KeyKind, added: Mapping[tuple[RowId, KeyId], int]
) -> None:
    """Add to the catalogue: for each (experiment, key) how many runs came to have it (or, below zero, lost it)."""
    rows = [(tenant, experiment, kind, key, runs) for (experiment, key), runs in added.items() if runs]
    if rows:
        hold_names(connection, tenant)
        _COUNT.run(connection, rows)


def list_keys(
    connection: Connection,
    experiment: RowId,
    *,
    kinds: Sequence[KeyKind],
    prefix: str,
    limit: int,
    offset: int,
) -> tuple[int, list[KeyUse]]:
    """A page of the catalogue in the order (kind, name), and how many keys match in all."""
    count = t.key_count
    where = [count.c.experiment == experiment, count.c.kind.in_(kinds), count.c.runs > 0]
    if prefix:
        where.append(sa.func.substr(t.key.c.name, 1, len(prefix)) == prefix)
    source = count.join(t.key, t.key.c.id == count.c.key)
    total = connection.scalar(sa.select(sa.func.count()).select_from(source).where(*where)) or 0
    query = (
        sa.select(count.c.kind, t.key.c.name, count.c.runs)
        .select_from(source)
        .where(*where)
        .order_by(count.c.kind, t.key.c.name)
        .limit(limit)
        .offset(offset)
    )
    return total, [KeyUse(kind=kind, name=name, runs=runs) for kind, name, runs in connection.execute(query)]


def _count(connection: Connection) -> Insert:
    base = t.key_count_base
    insert = upsert(connection, base).values({name: sa.bindparam(name) for name in _COUNTED})
    return insert.on_conflict_do_update(index_elements=_COUNTED[:4], set_={"runs": base.c.runs + insert.excluded.runs})


_COUNTED = ("tenant", "experiment", "kind", "key", "runs")
_COUNT = HotInsert(_COUNTED, _count)
