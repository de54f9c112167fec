"""wandb's filters and orders of runs, written in Gnomon's query language.

wandb takes MongoDB's form: `{"config.lr": 0.1, "summary_metrics.acc": {"$gt": 0.9}, "$or": [...]}`. Invariant: what is
not understood is refused with a `ValueError` that names it; no condition is left out in silence.
"""

from collections.abc import Mapping

from gnomon.query import quoted, quoted_key

_COMPARES = {"$eq": "=", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_JOINS = {"$and": " and ", "$or": " or "}
_ATTRIBUTES = {
    "state": "status",
    "display_name": "name",
    "displayName": "name",
    "created_at": "start_time",
    "createdAt": "start_time",
    "duration": "duration",
    "description": "description",
    "notes": "description",
    "username": "created_by",
}
_TAGS = {"group": "wandb.group", "jobType": "wandb.job_type", "job_type": "wandb.job_type", "name": "wandb.id"}
# What wandb calls the state of a job that was killed.
_STATES = {"crashed": "killed", "preempted": "killed"}


def as_filter(filters: Mapping[str, object] | None) -> str | None:
    """The filter in the query language; None where there is none. Raises `ValueError`."""
    parts = [_part(str(key), value) for key, value in (filters or {}).items()]
    return " and ".join(parts) if parts else None


def as_order(order: str) -> str:
    """`-summary_metrics.acc` as `metrics.acc desc`. Raises `ValueError`."""
    name = order.lstrip("+-")
    if name == "heartbeat_at":
        name = "created_at"
    return f"{_column(name)} {'desc' if order.startswith('-') else 'asc'}"


def _part(key: str, value: object) -> str:
    if key in _JOINS:
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"{key} takes a list of filters, not {value!r}")
        return "(" + _JOINS[key].join(f"({as_filter(each)})" for each in value if each) + ")"
    if key in ("$nor", "$not"):
        return f"not {_part('$or', value if isinstance(value, list | tuple) else [value])}"
    if key == "tags":
        return _labelled(value)
    column = _column(key)
    if not isinstance(value, Mapping):
        return f"{column} = {_literal(key, value)}" if value is not None else f"{column} is null"
    return " and ".join(_condition(key, column, str(operator), against) for operator, against in value.items())


def _condition(key: str, column: str, operator: str, against: object) -> str:
    if operator in _COMPARES:
        if against is None:
            return f"{column} is {'not null' if operator == '$ne' else 'null'}"
        found = f"{column} {_COMPARES[operator]} {_literal(key, against)}"
        # A run that lacks the value is another one for MongoDB.
        return f"not {column} = {_literal(key, against)}" if operator == "$ne" else found
    if operator in ("$in", "$nin") and isinstance(against, list | tuple) and against:
        choices = ", ".join(_literal(key, each) for each in against)
        return f"{'not ' if operator == '$nin' else ''}{column} in ({choices})"
    if operator == "$regex":
        return f"{column} =~ {quoted(str(against))}"
    if operator == "$exists":
        return f"{column} is {'not ' if against else ''}null"
    if operator == "$not" and isinstance(against, Mapping):
        return f"not ({' and '.join(_condition(key, column, str(op), each) for op, each in against.items())})"
    raise ValueError(f"the filter {key!r} with {operator} {against!r} is not understood by gnomon.wandb")


def _labelled(value: object) -> str:
    """wandb's tags are words; each is a tag of the run with the value `true`."""
    if isinstance(value, str):
        return f"{_tag(value)} is not null"
    if isinstance(value, Mapping) and len(value) == 1:
        ((operator, words),) = value.items()
        if operator in ("$in", "$nin", "$all") and isinstance(words, list | tuple) and words:
            joined = (" and " if operator == "$all" else " or ").join(
                f"{_tag(str(each))} is not null" for each in words
            )
            return f"{'not ' if operator == '$nin' else ''}({joined})"
        if operator in ("$eq", "$ne") and isinstance(words, str):
            return f"{_tag(words)} is {'not ' if operator == '$eq' else ''}null"
    raise ValueError(f"the filter of tags {value!r} is not understood by gnomon.wandb; give $in, $nin or $all")


def _column(name: str) -> str:
    room, _, key = name.partition(".")
    if room == "config" and key:
        return f"params.{quoted_key(key.removesuffix('.value').replace('.', '/'))}"
    if room in ("summary_metrics", "summary", "summaryMetrics") and key:
        metric, _, aggregate = key.rpartition(".")
        if metric and aggregate in ("min", "max", "mean", "last", "first"):
            return f"metrics.{quoted_key(metric)}.{aggregate}"
        return f"metrics.{quoted_key(key)}"
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    if name in _TAGS:
        return _tag(_TAGS[name])
    raise ValueError(f"{name!r} is nothing of a run that gnomon.wandb can find runs by")


def _tag(name: str) -> str:
    return f"tags.{quoted_key(name)}"


def _literal(key: str, value: object) -> str:
    if isinstance(value, bool):
        return quoted("true" if value else "false")
    if isinstance(value, int | float):
        return repr(float(value)) if isinstance(value, float) else str(int(value))
    if isinstance(value, str):
        return quoted(_STATES.get(value, value) if key == "state" else value)
    raise ValueError(f"the filter {key!r} compares with {value!r}; give text or a number")
