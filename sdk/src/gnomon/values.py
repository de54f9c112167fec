"""What people log, turned into what a run keeps: numbers for metrics, text for params and tags, clean keys.

Invariant: `number` and `text` raise for no object; what cannot be a number is None, what cannot be text is the name of
its type.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeVar
from unicodedata import normalize

K = TypeVar("K")

MAX_KEY = 250
MAX_PARAM = 6_000
MAX_TAG = 8_000
# The server refuses these in names; a metric that was logged all night is kept under a cleaned name rather than lost.
_UNNAMABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_RANK = re.compile(r"\{rank=([1-9][0-9]{0,8})\}\Z")
# Deeper than any config; a dict that holds itself ends here.
_MAX_DEPTH = 32


def flatten(values: Mapping[K, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Pairs of a nested mapping, keys joined with `/`."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and depth < _MAX_DEPTH:
            yield from flatten(value, f"{name}/", depth + 1)
        else:
            yield name, value


def clean_key(key: str, limit: int = MAX_KEY) -> str:
    """A key or name the server takes: the same one wherever it can be."""
    cleaned = _UNNAMABLE.sub("_", normalize("NFC", key))[:limit]
    return cleaned if cleaned.strip() else "unnamed"


def ranked_key(key: str, rank: int) -> str:
    """The name of a metric as a process of this rank keeps it: `loss{rank=3}`. Rank 0 keeps it as it is."""
    end = f"{{rank={rank}}}"
    return key[: MAX_KEY - len(end)] + end


def split_rank(name: str) -> tuple[str, int]:
    """The metric and the rank that a series' name says: `loss{rank=3}` is `loss` of rank 3, `loss` that of rank 0."""
    found = _RANK.search(name)
    return (name, 0) if found is None else (name[: found.start()], int(found.group(1)))


def number(value: object) -> float | None:
    """The double of a number, a 0-d array or tensor, or anything that says it is a float; None for the rest."""
    if isinstance(value, str | bytes | bytearray):
        return None
    try:
        item = getattr(value, "item", None)
        if callable(item):
            value = item()
        as_float = getattr(value, "__float__", None)
        return None if as_float is None or isinstance(value, str | bytes) else float(as_float())
    except Exception:  # user code: a tensor of many elements, a lazy array that fails
        return None


def text(value: object, limit: int) -> str:
    """What a param or tag keeps: strings as they are, numbers and truth values as JSON writes them, lists as JSON."""
    try:
        found = _text(value)
    except Exception:  # user code: a __repr__ that fails
        found = f"<{type(value).__name__}>"
    return _UNKEEPABLE.sub("\ufffd", found)[:limit]


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, default=str, ensure_ascii=False)
    item = getattr(value, "item", None)
    if callable(item) and (plain := number(value)) is not None:
        found = item()
        return _text(found) if isinstance(found, bool | int | float | str) else repr(plain)
    return str(value)
