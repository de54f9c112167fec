"""The bounds and forms of names that MLflow's server keeps, with its words; what it cuts short is cut short here."""

import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache

from gnomon_server.api.mlflow.reading import invalid_value
from gnomon_server.api.mlflow.wire import Pair
from gnomon_server.model.errors import InvalidRequest

MAX_METRICS = 1_000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_ENTITIES = 1_000
MAX_KEY = 250
MAX_PARAM_VALUE = 6_000
MAX_TAG_VALUE = 8_000
MAX_PAGE = 50_000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG_VALUE = 20_000
MAX_REGISTRY_TAG_VALUE = 100_000
PROMPT_TEXT = "mlflow.prompt.text"
MAX_ALIAS = 255
MAX_LOCATION = 2_048
MAX_HISTORY_RUNS = 100
MAX_INTERVAL_POINTS = 2_500

_NAME = re.compile(r"[/\w.\- :]*")
_ALIAS = re.compile(r"[\w\-]+")
_ALIAS_LIKE_VERSION = re.compile(r"[vV]\d+")
_CACHED_KEYS = 16_384


def checked_key(key: str, *, path: str, what: str) -> str:
    """A key of a metric, param or tag. `what` is what MLflow calls it where it is too long."""
    why = _fault(key)
    if why is not None:
        raise invalid_value(path, key, why)
    if len(key) > MAX_KEY:
        raise InvalidRequest(f"'{what}' exceeds the maximum length of {MAX_KEY} characters")
    return key


def checked_tags(pairs: Sequence[Pair], *, longest: int) -> dict[str, str]:
    """The tags of an experiment or of something in the registry; those of runs are cut short instead."""
    return {checked_key(pair.key, path="key", what="key"): checked_value(pair.value, longest) for pair in pairs}


def checked_value(value: str, longest: int) -> str:
    if len(value) > longest:
        raise InvalidRequest(f"'value' exceeds the maximum length of {longest} characters")
    return value


def refuse_long_prompt(tags: Sequence[Pair]) -> None:
    """A prompt is kept as a tag of a version; one that is too long is told as what it is."""
    if any(tag.key == PROMPT_TEXT and len(tag.value) > MAX_REGISTRY_TAG_VALUE for tag in tags):
        raise InvalidRequest(f"Prompt text exceeds max length of {MAX_REGISTRY_TAG_VALUE} characters.")


def checked_experiment_name(name: str) -> str:
    if len(name) > MAX_EXPERIMENT_NAME:
        raise InvalidRequest(f"'name' exceeds the maximum length of {MAX_EXPERIMENT_NAME} characters")
    return name


def checked_location(uri: str) -> str:
    """An address that a client chose for the files of an experiment."""
    if "#" in uri or ";" in uri.rpartition("/")[2]:
        raise InvalidRequest("'artifact_location' URL can't include fragments or params.")
    if len(uri) > MAX_LOCATION:
        raise InvalidRequest(
            f"Invalid artifact path length. The length of the artifact path cannot be greater than {MAX_LOCATION} "
            "characters."
        )
    if uri.startswith("runs:"):
        raise InvalidRequest(f"Artifact location cannot be a runs:/ URI. Given: '{uri}'")
    return uri


def checked_model_name(name: str) -> str:
    """The name of a registered model."""
    if not name.strip():
        raise InvalidRequest("Missing value for required parameter 'name'.")
    if "/" in name or ":" in name:
        raise InvalidRequest(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    return name


def checked_alias(alias: str) -> str:
    if len(alias) > MAX_ALIAS:
        raise InvalidRequest(f"'Registered model alias name' exceeds the maximum length of {MAX_ALIAS} characters")
    if _ALIAS.fullmatch(alias) is None:
        raise InvalidRequest(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    return alias


def free_alias(alias: str) -> str:
    """One that may be given: it is not taken for a version."""
    checked_alias(alias)
    if alias.lower() == "latest":
        raise InvalidRequest("'latest' alias name (case insensitive) is reserved.")
    if _ALIAS_LIKE_VERSION.fullmatch(alias):
        raise InvalidRequest(f"Version alias name '{alias}' is reserved.")
    return alias


def refuse_page(max_results: int) -> None:
    """Refuse a page size of a search of experiments or runs."""
    if max_results < 1:
        why = "It must be a positive integer"
    elif max_results > MAX_PAGE:
        why = f"It must be at most {MAX_PAGE}"
    else:
        return
    raise InvalidRequest(f"Invalid value {max_results} for parameter 'max_results' supplied. {why}")


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
