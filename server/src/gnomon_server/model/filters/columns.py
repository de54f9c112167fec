"""Identifiers: `metrics.loss.min`, `params.lr`, `tags."a b"`, `status`. The same in filters, orders and tables.

The text up to the first dot says what it is; without a dot it is an attribute of the run, and nothing else is guessed:
a metric, a param and a tag may all have the same key.
"""

from dataclasses import dataclass
from unicodedata import normalize

from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters.ast import AGGREGATES, Aggregate, Column
from gnomon_server.model.filters.attributes import (
    ATTRIBUTES,
    ENTITIES,
    attribute_like,
    entity_like,
    find_attribute,
)
from gnomon_server.model.filters.lexer import Part, Token
from gnomon_server.model.filters.source import Source


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where the language differs by who speaks it.

    `aggregates`: whether `.min` after a metric's unquoted key means its minimum, or is part of the key.
    `trailing_and`: whether an `and` at the end is passed over. `natural_params`: whether params are ordered by number.
    `datasets`: whether `dataset.name` and its like mean the data that runs took in.
    """

    aggregates: bool = True
    trailing_and: bool = False
    natural_params: bool = True
    datasets: bool = False


DATASET_KEYS = ("name", "digest", "context")
NATIVE = Dialect()
MLFLOW = Dialect(aggregates=False, trailing_and=True, natural_params=False, datasets=True)


def read_column(source: Source, token: Token, dialect: Dialect) -> Column:
    """The column that an identifier names."""
    if token.kind == "string" and token.quote == '"':
        return _attribute(source, Part(token.text, True, token.at), token)
    if token.kind != "word":
        shown = "the end" if token.kind == "end" else repr(source.text[token.at : token.end])
        raise source.error(f"expected a name such as metrics.loss, params.lr or status, not {shown}", token.at)
    first = token.parts[0]
    if first.quoted:
        _refuse_rest(source, token, 1)
        return _attribute(source, first, token)
    entity, dot, rest = first.text.partition(".")
    if dot and dialect.datasets and entity.lower() in ("dataset", "datasets"):
        return _dataset(source, _sole_part(source, token, rest), token)
    kind = ENTITIES.get(entity.lower())
    if not dot or kind is None:
        if not dot and len(token.parts) == 1 and find_attribute(entity) is not None:
            return _attribute(source, first, token)
        raise _unknown(source, token, entity)
    if kind == "attribute":
        return _attribute(source, _sole_part(source, token, rest), token)
    if kind == "metric":
        return _metric(source, token, rest, dialect)
    key = _key(source, token, _sole_part(source, token, rest))
    return Column("param" if kind == "param" else "tag", key, text=token.text)


def _metric(source: Source, token: Token, rest: str, dialect: Dialect) -> Column:
    if rest:
        _refuse_rest(source, token, 1)
        key, dot, suffix = rest.rpartition(".")
        aggregate = _aggregate(suffix) if dot and key and dialect.aggregates else None
        if aggregate is not None:
            return Column("metric", _nfc(key), aggregate, text=token.text)
        return Column("metric", _nfc(rest), text=token.text)
    key = _key(source, token, token.parts[1] if len(token.parts) > 1 else Part("", False, token.end))
    if len(token.parts) <= 2:
        return Column("metric", key, text=token.text)
    aggregate = _aggregate(token.parts[2].text.removeprefix("."))
    if aggregate is None or len(token.parts) > 3:
        known = ", ".join(AGGREGATES)
        raise source.error(f"after a quoted metric only an aggregate can follow: {known}", token.parts[2].at)
    return Column("metric", key, aggregate, text=token.text)


def _sole_part(source: Source, token: Token, rest: str) -> Part:
    """What follows the first dot: bare text or one quoted piece, with nothing after it."""
    if rest:
        _refuse_rest(source, token, 1)
        return Part(rest, False, token.at + len(token.text) - len(rest))
    _refuse_rest(source, token, 2)
    return token.parts[1] if len(token.parts) > 1 else Part("", False, token.end)


def _refuse_rest(source: Source, token: Token, allowed: int) -> None:
    if len(token.parts) > allowed:
        raise source.error('quote the whole key, as in metrics.`a b` or params."a.b"', token.parts[allowed].at)


def _key(source: Source, token: Token, part: Part) -> str:
    if not part.text:
        raise source.error(f"a key is missing after {token.parts[0].text!r}, as in metrics.loss", part.at)
    return _nfc(part.text)


def _attribute(source: Source, part: Part, token: Token) -> Column:
    found = find_attribute(part.text)
    if found is not None:
        return Column("attribute", found.name, text=source.text[token.at : token.end])
    close = attribute_like(part.text)
    hint = f"did you mean {close}?" if close else f"there are {', '.join(ATTRIBUTES)}"
    raise source.error(f"{part.text!r} is no attribute of a run; {hint}", part.at)


def _dataset(source: Source, part: Part, token: Token) -> Column:
    if part.text not in DATASET_KEYS:
        raise source.error(f"a dataset has no {part.text!r}; there are {', '.join(DATASET_KEYS)}", part.at)
    return Column("dataset", part.text, text=token.text)


def _unknown(source: Source, token: Token, entity: str) -> InvalidRequest:
    """A first segment that says nothing: never guessed, always explained."""
    if entity.lower() in ("dataset", "datasets"):
        return source.error(
            "runs cannot be found by their datasets; filter by a tag or param that names the data", token.at
        )
    name = token.text
    if (close := entity_like(entity)) is not None and name != entity:
        return source.error(f"{name!r} names nothing; did you mean {close}{name[len(entity) :]}?", token.at)
    if name == entity and (near := attribute_like(entity)) is not None:
        return source.error(
            f"{name!r} is no attribute of a run; did you mean {near}? (A metric would be metrics.{name})",
            token.at,
        )
    return source.error(
        f"{name!r} is no attribute of a run; write metrics.{name}, params.{name} or tags.{name} for a key, "
        f"or one of {', '.join(ATTRIBUTES)}",
        token.at,
    )


def _aggregate(suffix: str) -> Aggregate | None:
    return next((aggregate for aggregate in AGGREGATES if aggregate == suffix), None)


def _nfc(key: str) -> str:
    """Keys are kept in NFC, so they are looked up in it."""
    return normalize("NFC", key)
