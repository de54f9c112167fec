"""What was done to MLflow's own server, against ours in the same words. Each row is named by its published advisory.

`RUN` stands for the id of a run of the tenant. 501 is the answer for what this server leaves out.
"""

from tests.attacks.corpus import JSON
from tests.attacks.server_corpus import RUN, ServerAttack, _get, _post

_M = "/api/2.0/mlflow"
_HOOK = b'{"name": "w", "url": "http://169.254.169.254/", "events": [{"entity": "PROMPT", "action": "CREATED"}]}'
_P = "/api/2.0/mlflow-artifacts/artifacts"
_PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]


def _version(row: str, source: str, *allowed: int, **more: object) -> ServerAttack:
    """A version of the registered model `attacked`, which is there."""
    return _post(row, f"{_M}/model-versions/create", {"name": "attacked", "source": source, **more}, *allowed)


def _send(row: str, method: str, target: str, body: bytes, *allowed: int) -> ServerAttack:
    return ServerAttack(row, method, target, (JSON,), body, frozenset(allowed))


SOURCES = [
    _version("CVE-2023-1177", "file:///etc", 400),
    _version("CVE-2023-1176", "/etc/passwd", 400),
    _version("CVE-2023-1176-drive", "C:\\Windows\\win.ini", 400),
    _version("CVE-2023-2356", "mlflow-artifacts://h:1/../../../../etc", 400),
    _version("CVE-2023-2356-own", f"mlflow-artifacts:/{'0' * 32}/{RUN}/artifacts/../../../etc", 400, 404),
    _version("CVE-2023-2780", "..\\..\\..\\etc\\passwd", 400),
    _version("CVE-2023-6909", "\\\\?\\C:\\", 400),
    _version("CVE-2023-6018-model", "models:/nobody/1", 404),
    _version("CVE-2024-1593", "http:///;/../../../etc", 400),
    _version("CVE-2024-2928", "http:///#/../../../../etc/", 400),
    _version("CVE-2024-3848", "http://host?/../../../etc", 400),
    _version("CVE-2025-11201", "../../..", 400),
    _version("CVE-2026-2614", "/", 400, tags=_PROMPT),
    _version("CVE-2026-2614-file", "file:///etc", 400, tags=_PROMPT),
    _version("CVE-2026-2614-dots", "..", 400, tags=_PROMPT),
    _version("CVE-2026-2614-scheme", "mlflow-artifacts:/", 400, 404, tags=_PROMPT),
    *(
        _post(f"{row}-experiment", f"{_M}/experiments/create", {"name": row, "artifact_location": place}, 400)
        for row, place in {
            "CVE-2024-1593": "http:///;/../../../etc",
            "CVE-2024-2928": "http:///#/../../../../etc/",
            "CVE-2024-3848": "http://host#/../../../etc/",
            "CVE-2023-6975": "ftp://evil.example/a",
            "CVE-2023-1177": "file:///etc",
            "CVE-2026-2393": "http://169.254.169.254/latest/meta-data/",
            "CVE-2026-4035": "${AWS_SECRET_ACCESS_KEY}",
        }.items()
    ),
]

PATHS = [
    _get("CVE-2023-1177-read", "/model-versions/get-artifact?path=passwd&name=attacked&version=1", 404),
    _get("CVE-2023-30172", f"/get-artifact?path=../../../../etc/passwd&run_uuid={RUN}", 400),
    _get("CVE-2023-1176-read", f"/get-artifact?path=/etc/passwd&run_uuid={RUN}", 400),
    _get("CVE-2023-1176-read-drive", f"/get-artifact?path=C:%5CWindows%5Cwin.ini&run_uuid={RUN}", 400),
    _get("CVE-2023-6977", f"/get-artifact?path=%5C..%5Cfilename&run_uuid={RUN}", 400),
    _get("CVE-2023-6909-list", f"{_M}/artifacts/list?run_id={RUN}&path=../..", 400),
    _get("CVE-2023-6909-list-encoded", f"{_M}/artifacts/list?run_id={RUN}&path=%252e%252e", 400),
    _get("CVE-2023-43472", "/api/2.0/preview/mlflow/experiments/list", 404),
    _send("CVE-2023-6831", "DELETE", f"{_P}/%252E%252E%252F%252E%252E%252Fetc%252fpasswd", b"", 200, 400),
    _send("CVE-2024-1560", "DELETE", f"{_P}/%25252e%25252e%25252fetc", b"", 200, 400),
    _send("CVE-2023-6831-run", "DELETE", f"{_P}/{'0' * 32}/{RUN}/artifacts/%252E%252E%252Fetc", b"", 400),
    _send("CVE-2024-3848-put", "PUT", f"{_P}/{'0' * 32}/{RUN}/artifacts/a%3F/a", b"x", 400),
    _send("CVE-2024-3848-put-hash", "PUT", f"{_P}/{'0' * 32}/{RUN}/artifacts/a%23/a", b"x", 400),
    _send("CVE-2024-3848-page", "POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={RUN}&path=a%3F/a", b"x", 400),
    _send("CVE-2023-6018-put", "PUT", f"{_P}/etc/cron.d/x", b"x", 404),
]

ABSENT = [
    _send("GHSA-4qq5-mxxx-m6gg", "POST", f"{_M}/users/create", b'{"username": "a", "password": "b"}', 501),
    _send("CVE-2025-1473", "POST", "/signup", b"{}", 404),
    _send("CVE-2026-0545", "POST", "/ajax-api/3.0/jobs/", b"{}", 501),
    _send("CVE-2026-2652", "POST", "/v1/traces", b"{}", 400),
    _send("CVE-2026-2651", "POST", f"/api/2.0/mlflow-artifacts/mpu/create/{'0' * 32}/{RUN}/artifacts/a", b"{}", 400),
    _send(
        "CVE-2026-2651-dots",
        "POST",
        f"/api/2.0/mlflow-artifacts/mpu/create/{'0' * 32}/{RUN}/artifacts/a",
        b'{"path": "..", "num_parts": 1}',
        400,
    ),
    _get("CVE-2026-3198", "/api/3.0/mlflow/gateway/secrets/list", 501),
    _send("CVE-2026-2393", "POST", f"{_M}/webhooks", _HOOK, 400),
    _send("CVE-2025-0453", "POST", "/graphql", b'{"query": "{' + b"a: b " * 10_000 + b'}"}', 400),
    _send("CVE-2023-48022", "POST", "/api/jobs/", b"{}", 404),
]

WIRE_CORPUS = [*SOURCES, *PATHS, *ABSENT]
