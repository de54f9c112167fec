"""What happens in the model registry as webhooks of the format `mlflow` are told it: MLflow's names and payloads.

MLflow keeps prompts in the registry, marked by a tag, and tells of them under names of their own. Tags by which it
marks and fills them are left out of what is told.
"""

from collections.abc import Mapping

from gnomon_server.model.registry import ModelVersion, RegisteredModel
from gnomon_server.model.webhooks import EventType, MlflowEvent

Payload = Mapping[str, object]
Told = tuple[MlflowEvent, Payload]

_IS_PROMPT = "mlflow.prompt.is_prompt"
_TEXT = "mlflow.prompt.text"
_MARKS = frozenset((_IS_PROMPT, "_mlflow_prompt_type"))
_NAME = "example_model"
_TAG = {"key": "example_key", "value": "example_value"}


def model_created(made: RegisteredModel) -> Told:
    """A name was registered."""
    more = {"description": made.description}
    if is_prompt(made.tags):
        return "prompt.created", {"name": made.name, "tags": _plain(made.tags), **more}
    return "registered_model.created", {"name": made.name, "tags": dict(made.tags), **more}


def version_created(made: ModelVersion) -> Told:
    """A version was published."""
    named = {"name": made.name, "version": str(made.version)}
    more = {"description": made.description or None}
    if is_prompt(made.tags):
        return "prompt_version.created", {
            **named,
            "template": made.tags.get(_TEXT),
            "tags": {key: value for key, value in _plain(made.tags).items() if key != _TEXT},
            **more,
        }
    source = {"source": made.source, "run_id": made.run or None}
    return "model_version.created", {**named, **source, "tags": dict(made.tags), **more}


def model_tag(model: RegisteredModel, key: str, value: str | None) -> Told | None:
    """A tag of a name was set, or (None) removed: told of prompts only, as MLflow does."""
    if not is_prompt(model.tags):
        return None
    facts = {"name": model.name, "key": key}
    return ("prompt_tag.deleted", facts) if value is None else ("prompt_tag.set", {**facts, "value": value})


def version_tag(model: RegisteredModel, version: int, key: str, value: str | None) -> Told:
    """A tag of a version was set, or (None) removed."""
    facts = {"name": model.name, "version": str(version), "key": key}
    if value is None:
        return ("prompt_version_tag.deleted" if is_prompt(model.tags) else "model_version_tag.deleted"), facts
    return ("prompt_version_tag.set" if is_prompt(model.tags) else "model_version_tag.set"), {**facts, "value": value}


def alias_set(model: RegisteredModel, alias: str, version: int) -> Told:
    """An alias points to a version."""
    facts = {"name": model.name, "alias": alias, "version": str(version)}
    return ("prompt_alias.created" if is_prompt(model.tags) else "model_version_alias.created"), facts


def alias_deleted(model: RegisteredModel, alias: str) -> Told:
    """An alias was removed."""
    return ("prompt_alias.deleted" if is_prompt(model.tags) else "model_version_alias.deleted"), {
        "name": model.name,
        "alias": alias,
    }


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether what has these tags is a prompt."""
    return tags.get(_IS_PROMPT, "").lower() == "true"


def message_of(event: EventType, data: Payload, *, at: str, tenant: str) -> Payload:
    """The message for an event; `at` is the time in ISO 8601."""
    entity, _, action = event.partition(".")
    return {"entity": entity, "action": action, "timestamp": at, "data": data, "workspace": tenant}


def example_of(event: EventType) -> Payload:
    """What a test of a webhook tells: the payloads that MLflow shows as examples."""
    entity, _, action = event.partition(".")
    name = {"name": "example_prompt" if entity.startswith("prompt") else _NAME}
    version = {"version": "1"} if "_version" in entity else {}
    match entity.rpartition("_")[2], action:
        case "tag", "set":
            return {**name, **version, **_TAG}
        case "tag", _:
            return {**name, **version, "key": _TAG["key"]}
        case "alias", "created":
            return {**name, "alias": "example_alias", "version": "1"}
        case "alias", _:
            return {**name, "alias": "example_alias"}
    tags = {"tags": {_TAG["key"]: _TAG["value"]}}
    match entity:
        case "model_version":
            made = {"source": "models:/123", "run_id": "abcd1234abcd5678"}
            return {**name, **version, **made, **tags, "description": "An example model version"}
        case "prompt_version":
            return {
                **name,
                **version,
                "template": "Hello {{name}}!",
                **tags,
                "description": "An example prompt version",
            }
    what = "prompt" if entity == "prompt" else "registered model"
    return {**name, **tags, "description": f"An example {what}"}


def _plain(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in _MARKS}
