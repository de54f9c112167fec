"""The OpenAPI 3.1 document, made from the routes' declarations: exactly those routes, and every status each gives.

Schemas come from the message Structs by msgspec; nothing is written twice, and a route without a declaration is an
error at start.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gnomon.wire import Problem
from gnomon_server.api.artifact_paths import ARTIFACT_PATH
from gnomon_server.api.problems import PROBLEM_JSON, STATUS
from gnomon_server.api.route import Doc
from gnomon_server.model.errors import GnomonError

# What any route may answer besides what it declares, with the reason.
_ALWAYS = {
    400: "the request is malformed: a header, the path, a parameter or a field",
    401: "the server takes requests with an API key, and there is none, or a bad one",
    403: "this Host or Origin, or this tenant, is not allowed",
    408: "the request came too slowly",
    413: "the body is larger than this route takes",
    414: "the URL is longer than 8 KiB",
    429: "too many requests, or too many bytes under way for this tenant; see Retry-After",
    431: "the headers are larger than 32 KiB or more than 100",
    500: "a defect; the answer holds a request id and nothing else",
    503: "overloaded, stopping or out of disk; nothing was kept; see Retry-After",
}
_WITH_BODY = {415: "the content type or encoding is not one that this route reads"}
_REASONS = {
    404: "the id exists nowhere",
    409: "a batch is missing before this one",
    413: "larger than this route takes",
    415: "a content type that this route does not read",
    416: "the byte range lies outside",
}
_PATH_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_UID = "^[0-9a-f]{32}$"
_PATH_MEANING = {
    "experiment_id": ("the id of an experiment: 32 lower-case hex digits", _UID),
    "run_id": ("the id of a run: 32 lower-case hex digits", _UID),
    "key_id": ("the id of an API key: its part between the first two underscores", "^[a-z2-7]{10}$"),
    "tenant": ("the name of a tenant", "^[a-z0-9][a-z0-9_-]{0,62}$"),
    "session_id": ("the id of a session", "^[a-z2-7]{10}$"),
    "upload_id": ("the id of an upload under way", "^[0-9a-f]{32}$"),
    "number": ("the number of a part, from 0", "^[0-9]{1,6}$"),
    "rule_id": ("the id of a rule: 32 lower-case hex digits", _UID),
    "view_id": ("the id of a saved view: 32 lower-case hex digits", _UID),
    "trace_id": ("the id of a trace, as its client made it", r"^[A-Za-z0-9_.:-]{1,100}$"),
    "webhook_id": ("the id of a webhook: 32 lower-case hex digits", _UID),
    "delivery_id": ("the id of a delivery: 32 lower-case hex digits", _UID),
    "path": ("the path of an artifact within its run; slashes separate directories", ARTIFACT_PATH),
}
# What is made under one id is found under it: the answer of the first fills this parameter of every other operation.
_MAKERS = {
    ("POST", "/experiments"): "experiment_id",
    ("POST", "/experiments/runs"): "run_id",
    ("POST", "/experiments/{experiment_id:str}/views"): "view_id",
    ("POST", "/retention"): "rule_id",
}
_TEMPLATE = "#/components/schemas/{name}"


def openapi_document(docs: Iterable[tuple[str, Doc]], *, version: str) -> dict[str, Any]:
    """The document as plain JSON values, from the routes and the prefix each is served under."""
    listed = list(docs)
    types = _types_of([doc for _, doc in listed])
    _, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    paths: dict[str, dict[str, Any]] = {}
    for prefix, doc in listed:
        path = _PATH_PARAMETER.sub(r"{\1}", prefix + doc.path)
        operation = paths.setdefault(path, {})[doc.method.lower()] = _operation(doc)
        if (maker := _MAKERS.get((doc.method, doc.path))) is not None:
            operation["responses"][str(doc.status)]["links"] = _links(listed, doc, maker)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gnomon",
            "version": version,
            "summary": "The experiment tracker that teams run themselves",
            "description": "No text of a request, names of keys and parameters included, may hold U+0000: 400.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _types_of(docs: Sequence[Doc]) -> list[Any]:
    found: list[Any] = [Problem]
    for doc in docs:
        found.extend(shape for shape in (doc.body, doc.gives) if shape is not None)
    return list(dict.fromkeys(found))


def _operation(doc: Doc) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(doc),
        "tags": [doc.tag],
        "summary": doc.summary,
        "description": doc.description or doc.summary,
        "parameters": [*_path_parameters(doc), *_query_parameters(doc), *_header_parameters(doc)],
        "responses": _responses(doc),
        "x-permission": doc.permission,
    }
    if doc.body is not None or doc.consumes != "application/json":
        operation["requestBody"] = {
            "required": not doc.is_body_optional,
            "content": {media: {"schema": _body_schema(doc)} for media in (doc.consumes, *doc.also_consumes)},
        }
    return operation


def _operation_id(doc: Doc) -> str:
    return re.sub(r"\W+", "_", f"{doc.method.lower()}_{doc.path.strip('/')}").strip("_")


def _links(docs: Sequence[tuple[str, Doc]], maker: Doc, parameter: str) -> dict[str, Any]:
    """To every operation that takes the id just made, in its path or as the experiment of a new run."""
    taken = {name: f"$request.path.{name}" for name, _kind in _PATH_PARAMETER.findall(maker.path)}
    taken[parameter] = "$response.body#/id"
    links: dict[str, Any] = {
        _operation_id(doc): {"operationId": _operation_id(doc), "parameters": taken}
        for _, doc in docs
        if f"{{{parameter}:" in doc.path
    }
    if parameter == "experiment_id":
        body = {"experiment_id": "$response.body#/id"}
        links["post_experiments_runs"] = {"operationId": "post_experiments_runs", "requestBody": body}
    return links


def _body_schema(doc: Doc) -> dict[str, Any]:
    if doc.consumes == "multipart/form-data":
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        return {"type": "object", "required": ["file"], "properties": {"file": file}, "additionalProperties": False}
    if doc.consumes == "application/octet-stream":
        return {"type": "string", "contentMediaType": doc.consumes}
    return _reference(doc.body)


def _reference(shape: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([shape], ref_template=_TEMPLATE)
    return dict(schema)


def _path_parameters(doc: Doc) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_MEANING[name][0],
            "schema": {"type": "string", "pattern": _PATH_MEANING[name][1]},
        }
        for name, _kind in _PATH_PARAMETER.findall(doc.path)
    ]


def _query_parameters(doc: Doc) -> list[dict[str, Any]]:
    if doc.query is None:
        return []
    (_,), components = msgspec.json.schema_components([doc.query], ref_template=_TEMPLATE)
    schema = components[doc.query.__name__]
    required = set(schema.get("required", ()))
    parameters = []
    for name, property_schema in schema["properties"].items():
        plain = dict(property_schema)
        description = plain.pop("description", None)
        parameter = {"name": name, "in": "query", "required": name in required, "schema": plain}
        if plain.get("type") == "array":
            parameter |= {"style": "form", "explode": True}
        if description:
            parameter["description"] = description
        parameters.append(parameter)
    return parameters


def _header_parameters(doc: Doc) -> list[dict[str, Any]]:
    if doc.permission == "public":
        return []
    return [
        {
            "name": "X-Tenant-ID",
            "in": "header",
            "required": False,
            "description": "the tenant to act in; absent means `default`, or the one tenant of the API key",
            "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"},
        }
    ]


def _responses(doc: Doc) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if doc.gives is not None:
        content["application/json"] = {"schema": _reference(doc.gives)}
    for media, description in doc.media.items():
        content[media] = {"schema": {"type": "string", "description": str(description)}}
    success: dict[str, Any] = {"description": doc.summary}
    if content:
        success["content"] = content
    if doc.headers:
        success["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in doc.headers.items()
        }
    responses = {str(doc.status): success}
    for status, meaning in doc.also.items():
        responses[str(status)] = {"description": meaning}
        if status == 206 and content:
            responses["206"]["content"] = content
    for status, reason in sorted(_failures(doc).items()):
        answer: dict[str, Any] = {
            "description": reason,
            "content": {PROBLEM_JSON: {"schema": {"$ref": _TEMPLATE.format(name="Problem")}}},
        }
        if status in (429, 503):
            answer["headers"] = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "string"}}}
        responses[str(status)] = answer
    return responses


def _failures(doc: Doc) -> dict[int, str]:
    found = dict(_ALWAYS)
    if doc.permission == "public":
        del found[401]
    if doc.body is not None or doc.consumes != "application/json":
        found |= _WITH_BODY
    for error in doc.raises:
        status = _status(error)
        found.setdefault(status, _REASONS.get(status, error.__doc__ or error.code))
    return found


def _status(error: type[GnomonError]) -> int:
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)
