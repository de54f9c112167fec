"""What MLflow's server says of filters of traces by spans, assessments, texts and prompts: it reads these by rules of
their own.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from gnomon_server.api.mlflow.search_words import (
    BY_SIZE,
    LISTS,
    NULLS,
    NUMBER,
    TEXTS,
    Comparison,
    not_quoted,
    not_text,
    read_comparisons,
    shown_set,
)
from gnomon_server.model.errors import InvalidRequest

_SIZES = frozenset(BY_SIZE) - {"=", "!="}
_PATTERNS = ("LIKE", "ILIKE")
_OF_TEXT = sorted((*TEXTS, *LISTS, "RLIKE"))
_WITHOUT_NULLS = ("status", "request_id", "client_request_id")
_SPAN_PARTS = ("name", "type", "status")
_PROMPT = re.compile(r"[^/]+/[^/]+")


@contextmanager
def in_words_of_traces(filter: str) -> Iterator[None]:
    """Refuse the first comparison that MLflow would find wrong, unless what is done within refuses the filter first."""
    clauses, rest = read_comparisons(filter)
    said = None if rest else next((said for clause in clauses if (said := _explain(clause)) is not None), None)
    try:
        yield
    except InvalidRequest as refused:
        if said is None or refused.code != "invalid_filter" or not refused.detail.startswith("filter: "):
            raise
        said = f"{said} ({refused.detail})"
    if said is not None:
        raise InvalidRequest(said, code="invalid_filter") from None


def _explain(clause: Comparison) -> str | None:
    entity, dot, key = clause.name.partition(".")
    entity, key = (entity, key.strip('`"')) if dot else ("attribute", entity.strip('`"'))
    if entity == "span":
        return _explain_span(key, clause)
    if entity in ("feedback", "expectation"):
        return _explain_assessment(entity, clause)
    if entity in ("attribute", "attributes", "trace"):
        return _explain_attribute(key, clause)
    return None


def _explain_span(key: str, clause: Comparison) -> str | None:
    if key == "attributes.":
        return "Span attribute name cannot be empty after 'attributes.'"
    known = _PATTERNS if key == "content" else _OF_TEXT
    if (key in (*_SPAN_PARTS, "content") or key.startswith("attributes.")) and clause.operator not in known:
        return f"span.{key} comparator '{clause.operator}' not one of '{shown_set(sorted(known))}'"
    if clause.operator in LISTS:
        return None
    return _unquoted("span", clause.value)


def _explain_assessment(entity: str, clause: Comparison) -> str | None:
    if clause.operator in NULLS:
        return None
    if clause.operator in _SIZES:
        if NUMBER.fullmatch(clause.value):
            return None
        return (
            f"Expected a numeric value for {entity} when using comparator '{clause.operator}'. Got value {clause.value}"
        )
    if clause.value.startswith("("):
        return not_text(entity, clause.value)
    return _unquoted(entity, clause.value)


def _explain_attribute(key: str, clause: Comparison) -> str | None:
    value = clause.value[1:-1]
    if key == "text" and clause.operator not in _PATTERNS:
        return f"span.content comparator '{clause.operator}' not one of '{shown_set(sorted(_PATTERNS))}'"
    if key == "prompt" and clause.operator != "=":
        return (
            f"Invalid comparator '{clause.operator}' for prompts filter. "
            "Only '=' is supported with format: prompt = \"name/version\""
        )
    if key == "prompt" and _PROMPT.fullmatch(value) is None:
        return f"Invalid prompts filter value '{value}'. Expected format: prompt = \"name/version\""
    if key in _WITHOUT_NULLS and clause.operator in NULLS:
        return f"Invalid comparator '{clause.operator}' not one of '{shown_set(_OF_TEXT)}'"
    return None


def _unquoted(entity: str, value: str) -> str | None:
    if NUMBER.fullmatch(value):
        return not_text(entity, value)
    if value[:1] not in ("'", '"'):
        return not_quoted(value)
    return None
