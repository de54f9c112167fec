"""What a table shows of a trace's request or response: the words of a chat where it is one, the JSON otherwise.

Chats are known by their shapes: OpenAI's chat completions and responses, and the messages of OpenTelemetry's
conventions for generative models. Of several messages the last of the wanted role speaks.

Where the request and the response of a span are is a matter of the library that traced it: attributes of many names,
which are asked in the order in which MLflow asks them, or events.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeGuard

import msgspec

from gnomon_server.model.traces import SentSpan

Role = Literal["user", "assistant"]

MAX_SHOWN = 1_000
# MLflow, OpenInference, OpenTelemetry, OpenLLMetry, Google ADK, Vercel AI, VoltAgent, LiveKit, Laminar, Langfuse.
_REQUESTS = (
    *("mlflow.spanInputs", "input.value", "gen_ai.input.messages", "gen_ai.tool.call.arguments"),
    *("traceloop.entity.input", re.compile(r"gen_ai\.prompt\.\d+\.content"), "gen_ai.prompt"),
    re.compile(r"gen_ai\.completion\.\d+\.tool_calls\.\d+\.arguments"),
    *("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args"),
    *("ai.prompt", "ai.prompt.messages", "ai.toolCall.args", "ai.value", "ai.values"),
    *("agent.messages", "llm.messages", "input"),
    *("lk.user_input", "lk.user_transcript", "lk.chat_ctx", "lk.input_text"),
    *("lmnr.span.input", "langfuse.observation.input"),
)
_RESPONSES = (
    *("mlflow.spanOutputs", "output.value", "gen_ai.output.messages", "gen_ai.tool.call.result"),
    *("traceloop.entity.output", re.compile(r"gen_ai\.completion\.\d+\.content"), "gen_ai.completion"),
    *("gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response"),
    *("ai.response.text", "ai.toolCall.result", "ai.response.object", "ai.embedding", "ai.embeddings"),
    *("output", "lk.response.text", "lk.response.function_calls"),
    *("lmnr.span.output", "langfuse.observation.output"),
)
# Events that hold them, and the attribute of the event: Spring AI's, and OpenTelemetry's.
_REQUEST_EVENTS = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.user.message": "content"}
_RESPONSE_EVENTS = {"gen_ai.content.completion": "gen_ai.completion", "gen_ai.choice": "content"}
_EMPTY = ("", "{}", "[]")
# How deep a request may lie within a request.
_MAX_DEPTH = 4


class _Event(msgspec.Struct):
    name: str
    attributes: dict[str, object] = {}


class _Content(msgspec.Struct):
    events: list[_Event] = []


def previews_of(root: SentSpan) -> dict[str, str]:
    """What the root took in and gave out, cut to what a table shows."""
    events = msgspec.json.decode(root.span.content, type=_Content).events
    asked: tuple[tuple[str, Role, Sequence[str | re.Pattern[str]], Mapping[str, str]], ...] = (
        ("request_preview", "user", _REQUESTS, _REQUEST_EVENTS),
        ("response_preview", "assistant", _RESPONSES, _RESPONSE_EVENTS),
    )
    found = {}
    for field, role, names, of_events in asked:
        in_events = (one.attributes.get(of_events[one.name]) for one in events if one.name in of_events)
        values = (*_named(root.attributes, names), *in_events)
        value = next((value for value in values if value not in (None, *_EMPTY, {}, [])), None)
        if value is not None:
            found[field] = preview_of(value, role)
    return found


def _named(attributes: Mapping[str, object], names: Sequence[str | re.Pattern[str]]) -> Iterator[object]:
    for name in names:
        if isinstance(name, str):
            yield attributes.get(name)
        else:
            yield from (attributes[key] for key in attributes if name.fullmatch(key))


def preview_of(value: object, role: Role) -> str:
    """`value` cut to what a table shows."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    said = _words(_last(_messages(_decoded(value)), role))
    shown = said or text
    return shown if len(shown) <= MAX_SHOWN else f"{shown[: MAX_SHOWN - 3]}..."


def _decoded(value: object) -> object:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):  # words that begin with a bracket
        return value


def _messages(value: object, depth: int = 0) -> list[Mapping[str, object]]:
    if isinstance(value, list):
        return [item for item in value if _is_message(item)]
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return []
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return [message for message in (choices[0].get("message"),) if _is_message(message)]
    for name in ("messages", "input", "output"):
        if isinstance(value.get(name), list):
            return [item for item in value[name] if _is_message(item)]
    return _messages(value["request"], depth + 1) if isinstance(value.get("request"), dict) else []


def _is_message(item: object) -> TypeGuard[dict[str, object]]:
    return isinstance(item, dict) and "role" in item and ("content" in item or "parts" in item)


def _last(messages: Sequence[Mapping[str, object]], role: Role) -> Mapping[str, object]:
    of_role = [message for message in messages if message["role"] == role]
    return of_role[-1] if of_role else messages[-1] if messages else {}


def _words(message: Mapping[str, object]) -> str:
    content = message.get("content", message.get("parts"))
    if isinstance(content, str):
        return content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            return part
        if isinstance(part, dict) and part.get("type") in ("text", "input_text", "output_text"):
            text = part.get("text", part.get("content"))
            if isinstance(text, str):
                return text
    return ""
