"""What a logged model says of the versions made of it: MLflow keeps that as JSON in a tag, which its clients read.

The registry is what is true; the tag is a note, of as many of the newest versions as a tag can hold.
"""

import json

from gnomon_server.api.mlflow.declare import AnyCall
from gnomon_server.model.names import MAX_TAG_VALUE
from gnomon_server.model.registry import ModelVersion

VERSIONS_TAG = "mlflow.modelVersions"


def note_version(call: AnyCall, model: str, made: ModelVersion) -> None:
    """Add a version to those that its model names; a tag that somebody filled with other words is left as it is."""
    call.services.models.revise_tag(call.principal, model, VERSIONS_TAG, lambda kept: _with_version(kept or "[]", made))


def _with_version(kept: str, made: ModelVersion) -> str | None:
    try:
        listed = json.loads(kept)
    except ValueError:
        return None
    one = {"name": made.name, "version": made.version}
    if not isinstance(listed, list) or one in listed:
        return None
    listed.append(one)
    while len(json.dumps(listed)) > MAX_TAG_VALUE:
        del listed[0]
    return json.dumps(listed)
