"""What spans say of their whole trace: when it ran, how it ended, what went in and came out, what it cost in tokens.

Attributes are read by MLflow's names and by OpenTelemetry's for generative models (`gen_ai.*`). A client that ends a
trace itself knows better; what it says replaces all this.
"""

from collections.abc import Mapping, Sequence

import msgspec

from gnomon_server.model.traces import MAX_KEY, MAX_PREVIEW, MAX_VALUE, SentSpan, TraceState

TOKEN_USAGE = "mlflow.trace.tokenUsage"  # noqa: S105  # the tokens of a language model
SESSION = "mlflow.trace.session"
USER = "mlflow.trace.user"
SOURCE_RUN = "mlflow.sourceRun"
SPANS_LOCATION = "mlflow.trace.spansLocation"

_TAG_PREFIX = "mlflow.traceTag."
_COUNTS = ("input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_PREVIEW = 1_000
# Of the emitter's library, not of what was traced; and names that only this server sets.
_NOT_TOLD = ("telemetry.sdk.", "mlflow.")


def times_of(spans: Sequence[SentSpan]) -> tuple[int, int | None]:
    """When the first of these spans began and the last ended, in milliseconds."""
    ends = [sent.span.end_ns for sent in spans if sent.span.end_ns is not None]
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


def previews_of(root: SentSpan) -> dict[str, str]:
    """What the root took in and gave out, cut to what a table shows."""
    found = {}
    for field, names in (
        ("request_preview", ("mlflow.spanInputs", "input.value", "gen_ai.input.messages", "gen_ai.prompt")),
        ("response_preview", ("mlflow.spanOutputs", "output.value", "gen_ai.output.messages", "gen_ai.completion")),
    ):
        value = next((root.attributes[name] for name in names if name in root.attributes), None)
        if value is not None:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            found[field] = text if len(text) <= _PREVIEW else f"{text[: _PREVIEW - 3]}..."
    return {field: text[:MAX_PREVIEW] for field, text in found.items()}


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
    """Session, user and the tokens used."""
    found: dict[str, str] = {}
    for key, names in (
        (SESSION, (SESSION, "session.id", "gen_ai.conversation.id")),
        (USER, (USER, "user.id")),
    ):
        value = next((sent.attributes[name] for sent in spans for name in names if sent.attributes.get(name)), None)
        if value is not None:
            found[key] = _text(value)[:MAX_VALUE]
    usage = _usage(spans)
    if usage:
        found[TOKEN_USAGE] = msgspec.json.encode(usage).decode()
    return found


def _usage(spans: Sequence[SentSpan]) -> dict[str, int]:
    """Tokens over the tree. A span that counts speaks for those below it, which are passed over."""
    counted = {sent.span.uid: counts for sent in spans if (counts := _counts(sent.attributes))}
    parents = {sent.span.uid: sent.span.parent for sent in spans}
    total: dict[str, int] = {}
    for uid, counts in counted.items():
        if _is_below_counted(uid, parents, counted):
            continue
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
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


def _counts(attributes: Mapping[str, object]) -> dict[str, int]:
    told = attributes.get("mlflow.chat.tokenUsage")
    if isinstance(told, dict):
        return {name: int(told[name]) for name in _COUNTS if isinstance(told.get(name), int | float)}
    found: dict[str, int] = {}
    for name, keys in (
        ("input_tokens", ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")),
        (
            "output_tokens",
            ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
        ),
        ("total_tokens", ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")),
    ):
        value = next((attributes[key] for key in keys if isinstance(attributes.get(key), int)), None)
        if isinstance(value, int):
            found[name] = value
    if found and "total_tokens" not in found:
        found["total_tokens"] = sum(found.values())
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
