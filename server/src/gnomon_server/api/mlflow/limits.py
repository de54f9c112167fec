"""The bounds and forms of names that MLflow's server keeps, with its words; what it cuts short is cut short here."""

import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache

from gnomon_server.api.mlflow.reading import invalid_value
from gnomon_server.model.errors import InvalidRequest

MAX_METRICS = 1_000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_ENTITIES = 1_000
MAX_KEY = 250
MAX_PARAM_VALUE = 6_000
MAX_TAG_VALUE = 8_000
MAX_PAGE = 50_000
MAX_HISTORY_RUNS = 100
MAX_INTERVAL_POINTS = 2_500

_NAME = re.compile(r"[/\w.\- :]*")
_CACHED_KEYS = 16_384


def checked_key(key: str, *, path: str, what: str) -> str:
    """A key of a metric, param or tag. `what` is what MLflow calls it where it is too long."""
    why = _fault(key)
    if why is not None:
        raise invalid_value(path, key, why)
    if len(key) > MAX_KEY:
        raise InvalidRequest(f"'{what}' exceeds the maximum length of {MAX_KEY} characters")
    return key


def refuse_large_batch(metrics: int, params: int, tags: int) -> None:
    for name, limit, count in (
        ("metrics", MAX_METRICS, metrics),
        ("params", MAX_PARAMS, params),
        ("tags", MAX_TAGS, tags),
        ("metrics, params, and tags", MAX_ENTITIES, metrics + params + tags),
    ):
        if count > limit:
            raise InvalidRequest(
                f"A batch logging request can contain at most {limit} {name}. Got {count} {name}. "
                f"Please split up {name} across multiple requests and try again."
            )


def refuse_repeated_params(keys: Sequence[str]) -> None:
    if len(set(keys)) == len(keys):
        return
    repeated = [key for place, key in enumerate(keys) if key in keys[:place]]
    raise InvalidRequest(
        f"Duplicate parameter keys have been submitted: {repeated}. Please ensure "
        "the request contains only one param value per param key."
    )


@lru_cache(maxsize=_CACHED_KEYS)
def _fault(key: str) -> str | None:
    if _NAME.fullmatch(key) is None:
        return (
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.),"
            " spaces ( ), colon(:) and slashes (/)."
        )
    plain = posixpath.normpath(key)
    if plain != key or plain == "." or plain.startswith(("..", "/")):
        return (
            "Names may be treated as files in certain cases, and must not resolve to other names"
            f" when treated as such. This name would resolve to {plain!r}"
        )
    return None
