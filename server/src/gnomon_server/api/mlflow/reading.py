"""Reading protobuf's JSON as leniently as MLflow's own server does, but never into something that was not sent.

Accepted besides the plain form: camelCase names, null for absent, numbers in quotes ("NaN" and "Infinity" too), a
body that is JSON in a JSON string. Unknown fields are passed over. A bare NaN, a number with a fraction where an
integer belongs and an unknown word of a closed set are refused: MLflow's server stores zeros for some of those.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeVar, get_type_hints

import msgspec
from msgspec import UNSET, Struct
from msgspec.inspect import ListType, StructType, type_info

from gnomon_server.api.mlflow.wire import Asked, Enum
from gnomon_server.api.nul import find_nul
from gnomon_server.model.errors import InvalidRequest

A = TypeVar("A", bound=Asked)

# Maps and values whose names are the client's own, and mean what they are in the case they have.
_FREE = frozenset(("tags", "trace_metadata", "metadata", "value", "variables"))
DOCS = " See the API docs for more information about request parameters."
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_AT = re.compile(r"- at `\$\.?(?P<path>[^`]*)`$")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def read_body(raw: bytes, shape: type[A]) -> A:
    """The body as the message; no body at all is the empty message."""
    reader = _reader(shape)
    try:
        # The common case in one pass. A camelCase name in it would be passed over unseen, so it is looked for.
        found = None if any(name in raw for name in reader.camel) else reader.decoder.decode(raw or b"{}")
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        found = _converted(_tree(raw), shape)
    if b"\\u0000" in raw:
        _refuse_nul(msgspec.to_builtins(found))
    _refuse_missing(found)
    return found


def read_query(values: Sequence[tuple[str, str]], shape: type[A]) -> A:
    """The query string as the message; lists gather what is repeated."""
    reader = _reader(shape)
    tree: dict[str, object] = {}
    for written, value in values:
        _refuse_nul(value)
        name = _snake(written)
        if name in reader.lists:
            listed = tree.setdefault(name, [])
            assert isinstance(listed, list)
            listed.append(value)
        else:
            tree.setdefault(name, value)
    found = _converted(tree, shape)
    _refuse_missing(found)
    return found


def read_tree(tree: object, shape: type[A]) -> A:
    """What was decoded elsewhere as the message."""
    found = _converted(_plain(tree), shape)
    _refuse_nul(msgspec.to_builtins(found))
    _refuse_missing(found)
    return found


def word_of(value: Enum, words: Mapping[str, int], *, field: str) -> str:
    """The name of an enum's value, given by name or number."""
    if isinstance(value, str) and value in words:
        return value
    number = int(value) if isinstance(value, int) or value.isdecimal() else None
    for word, of_word in words.items():
        if of_word == number:
            return word
    known = ", ".join(words)
    raise InvalidRequest(f"Invalid value {json.dumps(value)} for parameter '{field}' supplied: it is one of {known}.")


def missing_value(path: str) -> InvalidRequest:
    return InvalidRequest(f"Missing value for required parameter '{path}'.{DOCS}")


def invalid_value(path: str, value: object, why: str = "") -> InvalidRequest:
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return InvalidRequest(f"Invalid value {shown} for parameter '{path}' supplied" + (f": {why}" if why else "."))


def value_refused(path: str, value: object) -> InvalidRequest:
    """A value that is not of the type or the size that a request may have."""
    # Two blanks: as MLflow's own server writes it, and as its tests read it.
    hint = f" Hint: Value was of type '{type(value).__name__}'."
    return InvalidRequest(invalid_value(path, value, hint).detail + DOCS)


class _Reader(Struct, frozen=True):
    decoder: msgspec.json.Decoder  # type: ignore[type-arg]  # of the shape that it is kept under
    camel: tuple[bytes, ...]
    lists: frozenset[str]


@lru_cache
def _reader(shape: type[Asked]) -> _Reader:
    camel = {f'"{name}"'.encode() for name in map(_camel, _field_names(shape)) if not name.islower()}
    info = type_info(shape)
    assert isinstance(info, StructType)
    lists = frozenset(field.name for field in info.fields if isinstance(field.type, ListType))
    return _Reader(msgspec.json.Decoder(shape, strict=False), tuple(sorted(camel)), lists)


def _field_names(shape: type[Struct]) -> set[str]:
    """The names of the fields of a message and of the messages in it."""
    found = set(shape.__struct_fields__)
    for hint in get_type_hints(shape).values():
        for inner in getattr(hint, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, Struct):
                found |= _field_names(inner)
    return found


def _tree(raw: bytes) -> object:
    try:
        tree = msgspec.json.decode(raw) if raw.strip() else {}
        if isinstance(tree, str):
            tree = msgspec.json.decode(tree)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequest(f"The request body is not valid JSON: {reason}") from None
    tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    return _plain(tree)


def _plain(tree: object) -> object:
    """The tree with snake_case names and without nulls."""
    if isinstance(tree, list):
        return [_plain(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    plain: dict[str, object] = {}
    for written, value in tree.items():
        name = _snake(written)
        if name in plain:
            raise InvalidRequest(f"Request specifies both '{name}' and '{_camel(name)}'; provide only one of them.")
        if value is not None:
            plain[name] = value if name in _FREE and isinstance(value, dict) else _plain(value)
    return plain


def _converted(tree: object, shape: type[A]) -> A:
    try:
        return msgspec.convert(tree, shape, strict=False)
    except msgspec.ValidationError as error:
        place = _AT.search(str(error))
        path = place["path"] if place else ""
        if path.endswith("]") and "." not in path:
            path = path.partition("[")[0]  # of a list of plain values the whole is told, as MLflow's server does
        value = _value_at(tree, path)
        raise value_refused(path or "body", value) from None


def _value_at(tree: object, path: str) -> object:
    for index, name in _STEP.findall(path):
        if isinstance(tree, list) and index:
            tree = tree[int(index)]
        elif isinstance(tree, dict):
            tree = tree.get(name)
    return tree


def _refuse_nul(tree: object) -> None:
    """Refuse text that not every database keeps."""
    if (found := find_nul(tree, in_names=True)) is not None:
        raise InvalidRequest(f"Invalid value {json.dumps(found[1][:80])} supplied: text holds no character U+0000.")


def _refuse_missing(message: Asked) -> None:
    for name in message.required:
        value = getattr(message, name)
        if name == "run_id" and not value:
            value = getattr(message, "run_uuid", value)
        if value is UNSET or value == "" or value == []:
            raise missing_value(name)


@lru_cache(maxsize=1_024)
def _snake(name: str) -> str:
    return name if name.islower() else _CAMEL.sub(lambda found: f"_{found[1].lower()}", name)


@lru_cache(maxsize=1_024)
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
