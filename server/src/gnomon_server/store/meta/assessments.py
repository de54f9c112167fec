"""The SQL of assessments: what people, code and other models said of traces."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.traces import Assessment
from gnomon_server.store.meta import trace_tables as r
from gnomon_server.store.meta.upsert import upsert

_PLAIN = ("uid", "name", "kind", "source_type", "source_id", "payload", "created_ms", "updated_ms", "rationale")
_decode_pairs = msgspec.json.Decoder(dict[str, str]).decode


def read_assessments(connection: Connection, traces: Sequence[RowId]) -> dict[int, list[Assessment]]:
    """The assessments of some traces, the oldest first."""
    found: dict[int, list[Assessment]] = {}
    query = sa.select(r.assessment).where(r.assessment.c.trace.in_(traces))
    for row in connection.execute(query.order_by(r.assessment.c.created_ms, r.assessment.c.uid)):
        one = Assessment(
            **{name: getattr(row, name) for name in _PLAIN},
            metadata=_decode_pairs(row.metadata),
            span=row.span,
            overrides=row.overrides,
            is_valid=bool(row.valid),
        )
        found.setdefault(row.trace, []).append(one)
    return found


def put_assessments(connection: Connection, tenant: TenantId, trace: RowId, given: Sequence[Assessment]) -> None:
    """Keep assessments of a trace; one of the same id is replaced."""
    if not given:
        return
    rows = [
        {
            "tenant": tenant,
            "trace": trace,
            **{name: getattr(one, name) for name in _PLAIN},
            **_searched(one.payload),
            "metadata": msgspec.json.encode(one.metadata).decode(),
            "span": one.span,
            "overrides": one.overrides,
            "valid": int(one.is_valid),
        }
        for one in given
    ]
    insert = upsert(connection, r.assessment_base)
    kept = {name: insert.excluded[name] for name in rows[0] if name not in ("tenant", "trace", "uid")}
    connection.execute(insert.on_conflict_do_update(index_elements=["tenant", "trace", "uid"], set_=kept), rows)


def set_valid(connection: Connection, tenant: TenantId, trace: RowId, uid: str, *, is_valid: bool) -> None:
    base = r.assessment_base
    where = (base.c.tenant == tenant, base.c.trace == trace, base.c.uid == uid)
    connection.execute(sa.update(base).where(*where).values(valid=int(is_valid)))


def delete_assessment(connection: Connection, tenant: TenantId, trace: RowId, uid: str) -> None:
    base = r.assessment_base
    where = (base.c.tenant == tenant, base.c.trace == trace, base.c.uid == uid)
    connection.execute(sa.delete(base).where(*where))


def _searched(payload: str) -> Mapping[str, str | float | None]:
    """The value in a payload as searches compare it."""
    tree = msgspec.json.decode(payload)
    value = tree.get("value") if isinstance(tree, dict) else None
    if value is None and isinstance(tree, dict) and isinstance(tree.get("serialized_value"), dict):
        value = tree["serialized_value"].get("value")
    number = float(value) if isinstance(value, bool | int | float) else None
    text = value if isinstance(value, str) or value is None else msgspec.json.encode(value).decode()
    return {"value": text, "number": number}
