"""The API reference as one HTML page: plain, searchable with the browser, no script, nothing fetched from elsewhere."""

from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import Any

import msgspec

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #777; --accent: #0a6e5d }
@media (prefers-color-scheme: dark) { :root { --accent: #58c7ad } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) }
section { margin: 1.5rem 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: 4px }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { overflow-x: auto }
h3 { margin: 0; font: 600 15px ui-monospace, monospace } h3 b { color: var(--accent) }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid var(--line); padding: .25rem .5rem }
td:first-child { white-space: nowrap; vertical-align: top } .dim { color: var(--dim) } a { color: var(--accent) }
"""


# The page brings its one style along; of anything else the browser takes nothing.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@lru_cache(maxsize=2)
def page(openapi: bytes) -> bytes:
    """The page for this OpenAPI document (JSON)."""
    document = msgspec.json.decode(openapi)
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    schemas = document["components"]["schemas"]
    parts = [f"<h2 id='{escape(tag)}'>{escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items()]
    parts.append("<h2 id='messages'>messages</h2>")
    parts.extend(_schema(name, schema) for name, schema in sorted(schemas.items()))
    links = " · ".join(f"<a href='#{escape(tag)}'>{escape(tag)}</a>" for tag in [*by_tag, "messages"])
    title = f"Gnomon API {escape(document['info']['version'])}"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{links} · <a href='openapi.json'>openapi.json</a></p>{''.join(parts)}</html>"
    ).encode()


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(parameter['name'])}</code> <span class='dim'>{parameter['in']}</span>"
        f"<td>{escape(parameter.get('description', ''))} <span class='dim'>{_type(parameter['schema'])}</span>"
        for parameter in operation["parameters"]
    ]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(f"<tr><td>body<td>{_type(content['schema'])} <span class='dim'>{escape(media)}</span>")
    for status, answer in operation["responses"].items():
        shown = " ".join(_type(content["schema"]) for content in answer.get("content", {}).values())
        rows.append(f"<tr><td>{status}<td>{escape(answer['description'])} {shown}")
    return (
        f"<section><h3><b>{method.upper()}</b> {escape(path)}</h3><p>{escape(operation['description'])}</p>"
        f"<p class='dim'>permission: {escape(operation['x-permission'])}</p><table>{''.join(rows)}</table></section>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else ' <span class=dim>optional</span>'}"
        f"<td>{_type(shape)} {escape(str(shape.get('description', '')))}"
        for field, shape in schema.get("properties", {}).items()
    ]
    text = escape(str(schema.get("description", "")))
    body = f"<h3>{escape(name)}</h3><p>{text}</p><table>{''.join(rows)}</table>"
    return f"<section id='schema-{escape(name)}'>{body}</section>"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#schema-{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "prefixItems" in schema:
        return f"[{', '.join(_type(item) for item in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}"
    return escape(str(schema.get("type", "any")))
