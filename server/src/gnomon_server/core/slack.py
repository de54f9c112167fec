"""Events as messages that a Slack incoming webhook shows; Mattermost and others take the same shape.

What users named is escaped, so that no run name can mention a channel or hide a link.
"""

from collections.abc import Mapping

from gnomon_server.model.webhooks import EventType

Message = Mapping[str, object]

_WORDS: Mapping[EventType, str] = {
    "run.created": "began",
    "run.finished": "finished",
    "run.failed": "failed",
    "run.killed": "was killed",
    "run.resumed": "is running again",
}
_MARKS: Mapping[EventType, str] = {
    "run.created": ":arrow_forward:",
    "run.finished": ":white_check_mark:",
    "run.failed": ":x:",
    "run.killed": ":skull:",
    "run.resumed": ":arrow_forward:",
    "rule.fired": ":rotating_light:",
}
_MOST_METRICS = 6
# Slack refuses a block whose text is longer than 3,000 characters; names may have 500.
_MOST_TEXT = 300


def message_of(event: EventType, data: Mapping[str, object]) -> Message:
    """The message for an event; `data` as in its JSON form."""
    line = _line(event, data)
    sections: list[object] = [{"type": "section", "text": {"type": "mrkdwn", "text": line}}]
    run = data.get("run")
    if isinstance(run, Mapping) and (metrics := run.get("metrics")):
        shown = "   ".join(f"{_safe(key)} *{_short(value)}*" for key, value in list(metrics.items())[:_MOST_METRICS])
        sections.append({"type": "context", "elements": [{"type": "mrkdwn", "text": shown}]})
    return {"text": line, "blocks": sections}


def _line(event: EventType, data: Mapping[str, object]) -> str:
    mark = f"{_MARKS[event]} " if event in _MARKS else ""
    run, experiment, rule, model = (_facts(data, name) for name in ("run", "experiment", "rule", "model"))
    where = f"{_named(run)} in {_named(experiment)}"
    if event == "rule.fired":
        return f"{mark}*{_safe(rule.get('name'))}*: {_safe(rule.get('message'))} ({where})"
    if event in _WORDS:
        reason = f": {_safe(data['reason'])}" if "reason" in data else ""
        return f"{mark}Run {where} {_WORDS[event]}{reason}"
    if event == "webhook.test":
        return "A test message of Gnomon: this webhook works."
    version = f" version {_safe(model.get('version'))}" if "version" in model else ""
    name = f"*{_safe(model.get('name'))}*"
    match event:
        case "model_version.created":
            return f"Model {name}{version} was published"
        case "model_version.stage_changed":
            return f"Model {name}{version} is now {_safe(model.get('stage'))}"
        case "model_alias.set":
            return f"Model {name}: alias {_safe(model.get('alias'))} points to{version}"
        case _:
            return f"Model {name}: alias {_safe(model.get('alias'))} was removed"


def _facts(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = data.get(name, {})
    return found if isinstance(found, Mapping) else {}


def _named(facts: Mapping[str, object]) -> str:
    name, url = _safe(facts.get("name")), facts.get("url")
    return f"<{url}|{name}>" if url else f"*{name}*"


def _safe(value: object) -> str:
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\n", " ").replace("|", "\u00a6")[:_MOST_TEXT]


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
