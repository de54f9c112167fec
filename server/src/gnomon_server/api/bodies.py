"""Reading requests: bodies and query strings become frozen Structs once; what is wrong names its field.

Prebuilt msgspec decoders; unknown fields of a body are refused, nesting too deep is an error of the caller.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct, UnsetType
from msgspec.inspect import ListType, Metadata, StructType, Type, type_info

from gnomon_server.api import shapes
from gnomon_server.api.nul import find_nul
from gnomon_server.model.errors import FieldError, InvalidRequest

S = TypeVar("S", bound=Struct)
T = TypeVar("T")

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_decoders: dict[type[Struct], msgspec.json.Decoder[Struct]] = {}


def parse_body(body: bytes, shape: type[S]) -> S:
    """The body as the Struct, or an `InvalidRequest` that names the field."""
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.json.Decoder(shape)
    if not body:
        raise InvalidRequest("the request has no body; send a JSON object")
    try:
        found = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_shape(error, shape, body) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequest(f"the body is not valid JSON: {reason}", code="invalid_json") from None
    assert isinstance(found, shape)
    if rb"\u0000" in body:
        _refuse_nul(msgspec.json.decode(body), "")
    return found


def parse_query(values: Sequence[tuple[str, str]], shape: type[S]) -> S:
    """The query string as the Struct: text becomes numbers where the Struct asks for them, lists gather repeats."""
    lists = _list_fields(shape)
    given: dict[str, object] = {}
    for name, value in values:
        _refuse_nul(value, name)
        if name in lists:
            gathered = given.setdefault(name, [])
            assert isinstance(gathered, list)
            gathered.append(value)
        elif name in given:
            raise InvalidRequest(f"{name} is given twice; give it once", errors=[FieldError(name, "is given twice")])
        elif name in shape.__struct_fields__:
            given[name] = value
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise invalid_shape(error, shape) from None


def _refuse_nul(tree: object, field: str) -> None:
    if (found := find_nul(tree, field)) is not None:
        what = "holds U+0000 (NUL), which no text may; remove it"
        raise InvalidRequest(f"{found[0]}: {what}", errors=[FieldError(found[0], what)])


def invalid_shape(
    error: msgspec.ValidationError, shape: type[Struct] | None = None, body: bytes | None = None
) -> InvalidRequest:
    """msgspec's sentence, with the field in our notation: `$.metrics[3].value` becomes `metrics[3].value`.

    With the shape it says what may stand there, with the JSON body which entry of an object is meant.
    """
    found = _AT.match(str(error))
    assert found is not None, "the pattern matches any text"
    what = found["what"]
    field = (found["path"] or "").removeprefix("$").removeprefix(".")
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what, re.DOTALL):
        field = f"{field}.{unknown[1]}".removeprefix(".")
        what = "is not a field of this request; check its spelling or leave it out"
    elif missing := re.fullmatch(r"Object missing required field `(.*)`", what):
        field = f"{field}.{missing[1]}".removeprefix(".")
        what = "is required"
    elif shape is not None:
        what = shapes.advice(what, shape, field)
        if body is not None and field.endswith(shapes.ENTRY):
            field = shapes.named_entry(shape, field, body)
    field = field or "body"
    return InvalidRequest(f"{field}: {what}", errors=[FieldError(field, what)])


_list_names: dict[type[Struct], frozenset[str]] = {}


def _list_fields(shape: type[Struct]) -> frozenset[str]:
    if shape not in _list_names:
        info = type_info(shape)
        assert isinstance(info, StructType)
        _list_names[shape] = frozenset(field.name for field in info.fields if isinstance(_bare(field.type), ListType))
    return _list_names[shape]


def _bare(kind: Type) -> Type:
    """The type without the description that an `Annotated` wraps it in."""
    return _bare(kind.type) if isinstance(kind, Metadata) else kind


def given(value: T | UnsetType) -> T | None:
    """What a PATCH sets; None where it leaves the field out."""
    return None if isinstance(value, UnsetType) else value
