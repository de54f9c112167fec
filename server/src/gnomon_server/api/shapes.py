"""What is wrong with a value that does not fit its message, in words for whoever sent it.

msgspec says where (`$.metrics[3].value`) and what it expected. Two things it does not say: which entry of an object is
meant (`$.tags[...]`), and which words a closed set has. Both are looked up here, on the way to a refusal only.
"""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw, Struct

ENTRY = "[...]"
_BOUND = re.compile(r"Expected `int` ([<>]=) (-?\d+)")
_STEP = re.compile(r"\[[^\]]*\]|[^.\[]+")


def advice(what: str, shape: type[Struct], field: str) -> str:
    """What msgspec says of a field, and what to write there."""
    if what == "Expected `int`, got `str`":
        return "is not a whole number"
    if what == "Number out of range":
        return 'is beyond the range of a double; infinity is written "Infinity"'
    if bound := _BOUND.fullmatch(what):
        return f"must be at {'least' if bound[1] == '>=' else 'most'} {bound[2]}"
    kinds = _options(_type_at(shape, field))
    words = [str(word) for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if float in kinds and words:
        return f"is not a number; write one, or {' or '.join(map(_quoted, words))}"
    return f"{what}; write one of {', '.join(words)}" if words and "enum" in what else what


def named_entry(shape: type[Struct], field: str, body: bytes) -> str:
    """Of an object in this JSON body, the field of the first entry that does not fit: `tags[...]` is `tags.team`."""
    parent = field.removesuffix(ENTRY)
    kind = next((option for option in _options(_type_at(shape, parent)) if get_origin(option) is dict), None)
    if kind is None or "." in parent or "[" in parent:
        return field
    sent = msgspec.json.decode(msgspec.json.decode(body, type=dict[str, Raw])[parent], type=dict[str, Raw])
    for key, entry in sent.items():
        try:
            msgspec.json.decode(entry, type=get_args(kind)[1])
        except msgspec.ValidationError:
            return f"{parent}.{key}"
    return field


def _type_at(shape: type[Struct], field: str) -> Any:
    """The type of a field of a message; None where the path leads out of what is declared."""
    kind: Any = shape
    for step in _STEP.findall(field):
        if step.startswith("["):
            holder = next((option for option in _options(kind) if get_origin(option) in (list, dict)), None)
            kind = None if holder is None else get_args(holder)[-1]
        else:
            holder = next((option for option in _options(kind) if hasattr(option, "__struct_fields__")), None)
            kind = None if holder is None else get_type_hints(holder, include_extras=True).get(step)
    return kind


def _options(kind: Any) -> list[Any]:
    """The types of a union, without what is said about them."""
    return list(_flat(kind))


def _flat(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _flat(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for option in get_args(kind):
            yield from _flat(option)
    else:
        yield kind


def _quoted(word: str) -> str:
    return f'"{word}"'
