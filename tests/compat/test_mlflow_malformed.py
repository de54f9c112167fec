"""Whatever is sent to a route of MLflow's protocol, what is wrong with it is the client's: never a 5xx, nothing kept.

Every field name of every message is given every kind of value at every route, whether the route knows it or not.
"""

import json
import re
from collections.abc import Iterator, Sequence

import httpx
import pytest
from msgspec import Struct

from gnomon_server.api.mlflow import ROUTES
from gnomon_server.api.mlflow.wire import Asked
from tests.compat.wire_client import Wire

DEEP = "[" * 5_000 + "]" * 5_000
WHOLE = ["", "null", "[]", "5", '"x"', "{", "NaN", '"{\\"run_id\\": NaN}"', '{"a":' + DEEP + "}", "\xff\xfe", "{} {}"]
VALUES = ["5", "-1", "1.5", "1e999", "NaN", "true", "[]", "{}", "[5]", "[null]", '[{"key": 5}]', '"x"', '"\\u0000"']
LARGE = ["9" * 30, '"' + "y" * 9_000 + '"', '"2020-13-45T99:99:99Z"', '["x", {"key": NaN}]', '{"": {"": []}}']

PLAIN = ("/health", "/version")  # of no protocol: they take nothing


def shapes(cls: type[Struct] = Asked) -> Iterator[type[Struct]]:
    for each in cls.__subclasses__():
        yield each
        yield from shapes(each)


FIELDS = sorted({name for shape in shapes() for name in shape.__struct_fields__})


def served() -> Sequence[tuple[str, str]]:
    """Method and path of every route, once; what stands in braces in a path is filled."""
    found: set[tuple[str, str]] = set()
    for handler in ROUTES:
        path = min(handler.paths, key=lambda path: (not path.startswith("/api"), path))
        filled = re.sub(r"\{[^}]+\}", "nothing", path)
        found |= {(method, filled) for method in handler.http_methods if method not in ("OPTIONS", "HEAD")}
    return sorted(found)


def assert_clients_fault(answer: httpx.Response, sent: str) -> None:
    told = f"{answer.request.method} {answer.request.url.path} {sent[:80]}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, told
    if answer.status_code >= 400:
        body = answer.json()
        assert isinstance(body["error_code"], str), told
        assert isinstance(body["message"], str), told
        assert body["error_code"] not in ("INTERNAL_ERROR", "NOT_IMPLEMENTED"), told


def bodies() -> Iterator[str]:
    yield from WHOLE
    for value in (*VALUES, *LARGE):
        yield "{" + ", ".join(f"{json.dumps(name)}: {value}" for name in FIELDS) + "}"


@pytest.mark.parametrize(("method", "path"), [route for route in served() if route[0] != "GET"])
def test_bodies(wire: Wire, method: str, path: str) -> None:
    for body in bodies():
        content = body.encode("latin-1" if body == "\xff\xfe" else "utf-8")
        answer = wire.http.request(method, path, content=content, headers={"Content-Type": "application/json"})
        assert_clients_fault(answer, body)


@pytest.mark.parametrize("path", [path for method, path in served() if method == "GET" and path not in PLAIN])
def test_queries(wire: Wire, path: str) -> None:
    for value in ("", "x", "-1", "1.5", "NaN", "9" * 30, "[]", "{", "null", "\x00", "é" * 40, "../x", "%"):
        for start in range(0, len(FIELDS), 40):
            query = [(name, value) for name in FIELDS[start : start + 40]]
            assert_clients_fault(wire.http.get(path, params=query), value)


def test_nothing_half_read_is_kept(wire: Wire) -> None:
    run = wire.new_run()
    good = {"key": "m", "value": 1, "timestamp": 1, "step": 1}
    before = wire.get("runs/get", run_id=run)
    for field in ("key", "value", "timestamp", "step"):
        for value in ("NaN", "1.5", "[]", "{}", '"x"', "9" * 30, "null"):
            if (field, value) in (("value", "1.5"), ("value", "9" * 30), ("key", '"x"'), ("step", "null")):
                continue
            entry = ", ".join(f'"{name}": {value if name == field else json.dumps(good[name])}' for name in good)
            for path, body in (
                ("log-metric", f'{{"run_id": "{run}", {entry}}}'),
                ("log-batch", f'{{"run_id": "{run}", "metrics": [{json.dumps(good)}, {{{entry}}}]}}'),
            ):
                refused = wire.raw(f"runs/{path}", body.encode(), 400)
                assert refused["error_code"] == "INVALID_PARAMETER_VALUE", body
    for body in ('"status": "DONE"', '"status": 99', '"status": "FINISHED", "end_time": NaN', '"end_time": 1.5'):
        assert wire.raw("runs/update", f'{{"run_id": "{run}", {body}}}'.encode(), 400)["error_code"]
    assert wire.get("runs/get", run_id=run) == before


def test_text_that_not_every_database_keeps(wire: Wire) -> None:
    run = wire.new_run()
    for path, body in (
        ("runs/set-tag", {"run_id": run, "key": "k", "value": "a\0b"}),
        ("runs/log-batch", {"run_id": run, "params": [{"key": "p", "value": "\0"}]}),
        ("runs/search", {"experiment_ids": ["0"], "filter": "tags.k = '\0'"}),
    ):
        assert "U+0000" in wire.refused(path, 400, "INVALID_PARAMETER_VALUE", **body)
    wire.post("runs/set-tag", run_id=run, key="k", value="\\u0000 as six characters")
