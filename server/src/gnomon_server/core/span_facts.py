"""What spans say of their whole trace: when it ran, how it ended, what went in and came out, what it cost in tokens.

Attributes are read by MLflow's names and by OpenTelemetry's for generative models (`gen_ai.*`). A client that ends a
trace itself knows better; what it says replaces all this.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from gnomon_server.model.traces import MAX_KEY, MAX_VALUE, SentSpan, TraceState

TOKEN_USAGE = "mlflow.trace.tokenUsage"  # noqa: S105  # the tokens of a language model
COST = "mlflow.trace.cost"
SESSION = "mlflow.trace.session"
USER = "mlflow.trace.user"
SOURCE_RUN = "mlflow.sourceRun"
SPANS_LOCATION = "mlflow.trace.spansLocation"

_TAG_PREFIX = "mlflow.traceTag."
_COUNTS = ("input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_COSTS = ("input_cost", "output_cost", "total_cost")
_MAX_AMOUNT = 2**53
# A span whose attributes name none of these tells neither tokens nor money.
SPENT_MARKS = ("tokenUsage", "usage.", "llm.token_count.", "mlflow.llm.cost")
# Names for tokens: OpenTelemetry's (also as they were before), OpenInference's, and those of other libraries.
_TOKENS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "input_tokens",
        (
            *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
            *("llm.usage.prompt_tokens", "usage.prompt_tokens"),
        ),
    ),
    (
        "output_tokens",
        (
            *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
            *("llm.usage.completion_tokens", "usage.completion_tokens"),
        ),
    ),
    (
        "total_tokens",
        ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "usage.total_tokens"),
    ),
    (
        "cache_read_input_tokens",
        ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"),
    ),
    (
        "cache_creation_input_tokens",
        (
            *("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
            "llm.token_count.prompt_details.cache_write",
        ),
    ),
)
_DIGITS = re.compile(r"[0-9]{1,16}")
# Of the emitter's library, not of what was traced; and names that only this server sets.
_NOT_TOLD = ("telemetry.sdk.", "mlflow.")


def times_of(spans: Sequence[SentSpan]) -> tuple[int, int | None]:
    """When the first of these spans began and the last ended, in milliseconds.

    A span that ends before it began (a clock was set) counts as one that took no time.
    """
    ends = [max(sent.span.end_ns, sent.span.start_ns) for sent in spans if sent.span.end_ns is not None]
    first = min(sent.span.start_ns for sent in spans)
    return first // 1_000_000, max(ends) // 1_000_000 if ends else None


def state_of(spans: Sequence[SentSpan]) -> TraceState | None:
    """How the trace ended, where its root is among these spans."""
    root = root_of(spans)
    if root is None:
        return None
    return "ERROR" if root.span.status == "ERROR" else "OK"


def root_of(spans: Sequence[SentSpan]) -> SentSpan | None:
    return next((sent for sent in spans if sent.span.parent is None), None)


def tags_of(spans: Sequence[SentSpan]) -> dict[str, str]:
    """Tags: what is said of the resource that made the spans, and what the root says are tags."""
    tags: dict[str, str] = {}
    resource = next((sent.resource for sent in spans if sent.resource), {})
    for key, value in resource.items():
        if not key.startswith(_NOT_TOLD):
            tags[key] = _text(value)
    root = root_of(spans)
    if root is not None:
        for key, value in root.attributes.items():
            if key.startswith(_TAG_PREFIX):
                tags[key.removeprefix(_TAG_PREFIX)] = _text(value)
    return {
        key: value[:MAX_VALUE] for key, value in tags.items() if 0 < len(key) <= MAX_KEY and "\x00" not in key + value
    }


def metadata_of(spans: Sequence[SentSpan]) -> dict[str, str]:
    """Session and user."""
    found: dict[str, str] = {}
    for key, names in (
        (SESSION, (SESSION, "session.id", "gen_ai.conversation.id")),
        (USER, (USER, "user.id")),
    ):
        value = next((sent.attributes[name] for sent in spans for name in names if sent.attributes.get(name)), None)
        if value is not None:
            found[key] = _text(value)[:MAX_VALUE]
    return found


def spent_by(attributes: Mapping[str, object]) -> str:
    """What a span says it took in tokens and money, as it is kept; "" for nothing."""
    told = {
        key: amounts for key, amounts in ((TOKEN_USAGE, _counts(attributes)), (COST, _costs(attributes))) if amounts
    }
    return msgspec.json.encode(told).decode() if told else ""


def spent_of(spent: Mapping[str, str], parents: Mapping[str, str | None]) -> dict[str, str]:
    """The sum over the tree of what spans told (`spent_by`, by their ids), as metadata."""
    told = {uid: msgspec.json.decode(text, type=dict[str, dict[str, float]]) for uid, text in spent.items()}
    found: dict[str, str] = {}
    for key in (TOKEN_USAGE, COST):
        total = _over_tree(parents, {uid: amounts[key] for uid, amounts in told.items() if key in amounts})
        if total:
            whole = {name: int(amount) for name, amount in total.items()}
            found[key] = msgspec.json.encode(whole if key == TOKEN_USAGE else total).decode()
    return found


def _over_tree(parents: Mapping[str, str | None], told: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The sum over the tree. A span that tells speaks for those below it, which are passed over."""
    total: dict[str, float] = {}
    for uid, amounts in told.items():
        if _is_below_counted(uid, parents, told):
            continue
        for name, amount in amounts.items():
            total[name] = total.get(name, 0) + amount
    return total


def _is_below_counted(uid: str, parents: Mapping[str, str | None], counted: Mapping[str, object]) -> bool:
    seen = {uid}
    above = parents.get(uid)
    while above is not None and above not in seen:
        if above in counted:
            return True
        seen.add(above)
        above = parents.get(above)
    return False


def _counts(attributes: Mapping[str, object]) -> dict[str, float]:
    told = _object(attributes.get("mlflow.chat.tokenUsage"))
    if told is not None:
        return {name: int(amount) for name in _COUNTS if (amount := _amount(told.get(name))) is not None}
    found: dict[str, float] = {}
    for name, keys in _TOKENS:
        value = next((amount for key in keys if (amount := _count(attributes.get(key))) is not None), None)
        if value is not None:
            found[name] = value
    if found and "total_tokens" not in found:  # tokens of a cache are among those that went in
        found["total_tokens"] = found.get("input_tokens", 0) + found.get("output_tokens", 0)
    return found


def _count(value: object) -> int | None:
    """A number of tokens; some libraries write it as text."""
    amount = _amount(int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value)
    return None if amount is None else int(amount)


def _costs(attributes: Mapping[str, object]) -> dict[str, float]:
    """Money, as the span's own library worked it out; in US dollars by MLflow's convention."""
    told = _object(attributes.get("mlflow.llm.cost")) or {}
    return {name: amount for name in _COSTS if (amount := _amount(told.get(name))) is not None}


def _object(value: object) -> Mapping[str, object] | None:
    """An attribute that is an object, or the text of one."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):  # text that only looks like one counts as nothing told
            return None
    return value if isinstance(value, dict) else None


def _amount(value: object) -> float | None:
    """A number that can be summed and kept: neither negative nor past what a double counts exactly."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= _MAX_AMOUNT else None  # type: ignore[operator, return-value]


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
