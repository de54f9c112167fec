"""What a table shows of a trace's request or response: the words of a chat where it is one, the JSON otherwise.

Chats are known by their shapes: OpenAI's chat completions and responses, and the messages of OpenTelemetry's
conventions for generative models. Of several messages the last of the wanted role speaks.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeGuard

import msgspec

Role = Literal["user", "assistant"]

MAX_SHOWN = 1_000
# How deep a request may lie within a request.
_MAX_DEPTH = 4


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
