"""The attributes of a run that a filter can name, their other names, and what kind of value each has."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

AttributeKind = Literal["text", "word", "time", "duration"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """`kind` "word" is text of a closed set, compared without regard to case. `nullable`: a run may lack it."""

    name: str
    kind: AttributeKind
    nullable: bool = False


_ALL = (
    Attribute("id", "text"),
    Attribute("name", "text"),
    Attribute("description", "text"),
    Attribute("status", "word"),
    Attribute("lifecycle_stage", "word"),
    Attribute("start_time", "time"),
    Attribute("end_time", "time", nullable=True),
    Attribute("duration", "duration", nullable=True),
    Attribute("created_by", "text"),
    Attribute("created_at", "time"),
    Attribute("last_updated", "time"),
    Attribute("experiment_id", "text"),
    Attribute("artifact_uri", "text"),
)
ATTRIBUTES = {attribute.name: attribute for attribute in _ALL}

# `created` is the start of a run, as in MLflow; when its row was made is `created_at`.
_ALIASES = {
    "run_id": "id",
    "run_name": "name",
    "run name": "name",
    "user_id": "created_by",
    "user": "created_by",
    "created": "start_time",
    "updated_at": "last_updated",
    "duration_ms": "duration",
}

ENTITIES = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
}


def find_attribute(name: str) -> Attribute | None:
    """The attribute of this name or alias, whatever its case."""
    folded = name.lower()
    return ATTRIBUTES.get(_ALIASES.get(folded, folded))


def attribute_like(name: str) -> str | None:
    """The attribute that was probably meant."""
    close = get_close_matches(name.lower(), [*ATTRIBUTES, *_ALIASES], n=1, cutoff=0.7)
    return close[0] if close else None


def entity_like(name: str) -> str | None:
    """The entity (`metrics`, `params`, …) that was probably meant."""
    close = get_close_matches(name.lower(), list(ENTITIES), n=1, cutoff=0.7)
    return f"{ENTITIES[close[0]]}s" if close else None
