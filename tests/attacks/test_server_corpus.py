"""The whole corpus against the real server, started as a user starts it."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import gnomon_server
from tests.attacks.checks import assert_bounced, assert_bounced_on_the_wire, assert_guarded, assert_healthy
from tests.attacks.corpus import GUARD_CORPUS, JSON, Attack
from tests.attacks.raw_http import Address, Wire, exchange, request
from tests.attacks.server_corpus import SERVER_CORPUS, ServerAttack
from tests.attacks.wire_corpus import WIRE_CORPUS
from tests.support.server_process import ServerProcess, chosen_database


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own, with graces short enough to be waited for; what it opens and whom it calls is seen."""
    env = {"GNOMON_HEADER_TIMEOUT_SECS": "0.5", "GNOMON_BODY_GRACE_SECS": "0.5", "GNOMON_MAX_ARTIFACT_BYTES": "1000"}
    directory = tmp_path_factory.mktemp("attacks")
    trace = directory / "trace"
    running = ServerProcess(directory / "home", env=env)
    strace = ("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-e", "trace=openat,open,creat,connect,execve")
    running.start(prefix=(*strace, "-e", "signal=none", "-o", str(trace)))
    started = len(trace.read_text())
    yield running
    assert running.stop() == 0
    log = running.log_path.read_text()
    assert "Traceback" not in log, log[-4000:]
    calls = trace.read_text()
    assert f'"{running.home}/artifacts' in calls, "the tracer saw nothing"
    assert _trespasses(calls[started:], running.home) == []
    for path in (running.home, *running.home.rglob("*")):  # ATK-13
        assert path.stat().st_mode & 0o077 == 0, f"others may use {path}"


def _trespasses(trace: str, home: Path) -> list[str]:
    """The calls by which a server under attack left its home; it may load its own code, and read of the system."""
    allowed = (f"{home}/", sys.base_prefix, sys.prefix, str(Path(gnomon_server.__file__).parents[3]), "/proc/", "/sys/")
    database = chosen_database(home)
    found = []
    for line in trace.splitlines():
        call = re.search(r"\b(openat|open|creat|connect|execve)\((.*)", line)
        if call is None:
            continue
        path = re.search(r'"([^"]*)"', call[2])
        is_write = "O_WRONLY" in line or "O_RDWR" in line or "O_CREAT" in line
        is_open = call[1] not in ("connect", "execve")
        if is_open and path and path[1].startswith(allowed) and not (is_write and not path[1].startswith(f"{home}/")):
            continue
        if is_open and path and path[1] == str(home):
            continue
        if database and _is_of_driver(line, database):
            continue
        found.append(line)
    return found


def _is_of_driver(line: str, database: str) -> bool:
    """PostgreSQL's driver connects to its server, and looks for a password in the place that its manual names."""
    port = urlsplit(database).port
    return f"sin_port=htons({port})" in line or "connect resumed" in line or '/.pgpass", O_RDONLY' in line


@pytest.fixture(scope="module")
def address(hasty: ServerProcess) -> Address:
    host, _, port = hasty.base_url.removeprefix("http://").partition(":")
    return (host, int(port))


@pytest.fixture(scope="module")
def run(address: Address) -> str:
    """A run with one artifact of four bytes."""
    experiment = _created(address, "/api/v1/experiments", {"name": "attacked"})
    run_id = _created(address, "/api/v1/experiments/runs", {"experiment_id": experiment})
    _uploaded(address, run_id, "small.bin", b"data")
    return run_id


def _created(address: Address, target: str, body: object) -> str:
    (answer,) = exchange(address, request("POST", target, JSON, body=json.dumps(body).encode()))
    assert answer.status == 201, answer.body
    return str(json.loads(answer.body)["id"])


def _upload(run: str, name: str, data: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    target = f"/api/v1/experiments/runs/{run}/log-artifact"
    return request("POST", target, "Content-Type: multipart/form-data; boundary=b", body=head + data + b"\r\n--b--\r\n")


def _uploaded(address: Address, run: str, name: str, data: bytes) -> None:
    (answer,) = exchange(address, _upload(run, name, data))
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("attack", GUARD_CORPUS, ids=lambda attack: attack.id)
def test_the_server_is_behind_its_guard(address: Address, attack: Attack) -> None:
    assert_bounced(attack, exchange(address, attack.payload))
    assert_healthy(address)


@pytest.mark.parametrize("attack", SERVER_CORPUS, ids=lambda attack: attack.id)
def test_the_server_turns_it_away(address: Address, run: str, attack: ServerAttack) -> None:
    payload = attack.payload(run)
    assert_bounced(Attack(attack.id, payload, attack.allowed), exchange(address, payload))
    assert_healthy(address)


@pytest.fixture(scope="module")
def registered(address: Address) -> None:
    """A registered model for the wire's attacks, without a version."""
    body = json.dumps({"name": "attacked"}).encode()
    (answer,) = exchange(address, request("POST", "/api/2.0/mlflow/registered-models/create", JSON, body=body))
    assert answer.status == 200, answer.body


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("attack", WIRE_CORPUS, ids=lambda attack: attack.id)
def test_what_was_done_to_mlflow_is_turned_away(address: Address, run: str, attack: ServerAttack) -> None:
    payload = attack.payload(run)
    assert_bounced_on_the_wire(Attack(attack.id, payload, attack.allowed), exchange(address, payload))
    (versions,) = exchange(address, request("GET", "/api/2.0/mlflow/model-versions/search"))
    assert json.loads(versions.body) == {}
    (files,) = exchange(address, request("GET", f"/api/2.0/mlflow/artifacts/list?run_id={run}"))
    assert [file["path"] for file in json.loads(files.body)["files"]] == ["small.bin"]
    assert_healthy(address)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("source", ["http://evil.example/api/2.0/mlflow-artifacts/artifacts/", "ftp://evil.example/a"])
def test_what_lies_elsewhere_is_never_fetched(address: Address, source: str) -> None:
    """CVE-2023-6018 and CVE-2023-6975: a version may be elsewhere; whoever wants its files goes there himself."""

    def ask(method: str, path: str, body: object) -> tuple[int, Any]:
        (answer,) = exchange(address, request(method, path, JSON, body=json.dumps(body).encode()))
        return answer.status, json.loads(answer.body)

    api = "/api/2.0/mlflow/model-versions"
    status, made = ask("POST", f"{api}/create", {"name": "attacked", "source": source})
    assert status == 200, made
    try:
        number = made["model_version"]["version"]
        (answer,) = exchange(
            address, request("GET", f"/model-versions/get-artifact?name=attacked&version={number}&path=x")
        )
        assert answer.status == 400
        assert b"not on this server" in answer.body
        status, copied = ask("POST", f"{api}/create", {"name": "attacked", "source": f"models:/attacked/{number}"})
        assert status == 200, copied
        copy = copied["model_version"]["version"]
        (where,) = exchange(address, request("GET", f"{api}/get-download-uri?name=attacked&version={copy}"))
        assert json.loads(where.body) == {"artifact_uri": source}
        (answer,) = exchange(
            address, request("GET", f"/model-versions/get-artifact?name=attacked&version={copy}&path=x")
        )
        assert answer.status == 400
    finally:
        for version in ("1", "2"):
            ask("DELETE", f"{api}/delete", {"name": "attacked", "version": version})


# What looks dangerous and is only data: it is kept, and comes back exactly.
DATA = [
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A0",
    "'; DROP TABLE run_; --",
    "../../etc/passwd",
    "${HOME} {{7*7}} %s %(x)s",
    "100%_\\",
    "x" * 255,
    "\u2025/\uff0e\uff0e/\ufb01",
    "\U0001f680" * 255,
]


@pytest.mark.parametrize("name", DATA, ids=ascii)
def test_what_only_looks_dangerous_is_data(address: Address, name: str) -> None:
    experiment = _created(
        address, "/api/v1/experiments", {"name": name, "description": name, "tags": {name[:250]: name}}
    )
    (answer,) = exchange(address, request("GET", f"/api/v1/experiments/{experiment}"))
    kept = json.loads(answer.body)
    assert (kept["name"], kept["description"], kept["tags"]) == (name, name, {name[:250]: name})
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "name", ["x.svg", "x.html", "x.xml", "x.xhtml", "x.js", "x.pdf", "x.ipynb", "x.md", "x.png", "x.css", "x"]
)
def test_no_artifact_runs_in_our_origin(address: Address, run: str, name: str) -> None:
    _uploaded(address, run, name, b"\x89PNG\r\n<svg onload=alert(1)><script>alert(1)</script>")
    (answer,) = exchange(address, request("GET", f"/api/v1/experiments/runs/{run}/artifacts/{name}"))
    assert answer.status == 200
    assert_guarded(answer)
    assert answer.headers["content-disposition"].startswith("attachment")
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "html" not in answer.headers["content-type"]
    assert "svg" not in answer.headers["content-type"]
    assert "javascript" not in answer.headers["content-type"]


@pytest.mark.parametrize("name", ['a"b.txt', "é.txt", "a;b=c.txt", "a'b.txt", "\U0001f680.txt", "a b.txt"], ids=ascii)
def test_a_file_name_cannot_break_out_of_its_header(address: Address, run: str, name: str) -> None:
    quoted = name.replace('"', "%22")
    (answer,) = exchange(address, _upload(run, quoted, b"data"))
    if answer.status == 400:  # an encoded quote is a percent sign, which no path may hold
        assert "%" in quoted
        return
    artifact = json.loads(answer.body)["artifact"]
    target = "/api/v1/experiments/runs/" + run + "/artifacts/" + "".join(f"%{byte:02X}" for byte in artifact.encode())
    (download,) = exchange(address, request("GET", target))
    assert download.status == 200
    assert download.body == b"data"
    assert_guarded(download)


def test_an_artifact_has_a_bound(address: Address, run: str) -> None:
    _uploaded(address, run, "bound.bin", b"x" * 700)
    (answer,) = exchange(address, _upload(run, "over.bin", b"x" * 1_001))
    assert answer.status == 413
    (gone,) = exchange(address, request("GET", f"/api/v1/experiments/runs/{run}/artifacts/over.bin"))
    assert gone.status == 404


def test_a_slow_head_and_a_slow_body_are_cut(address: Address, run: str) -> None:
    half_body = request("POST", f"/api/v1/experiments/runs/{run}/log-metrics", JSON, "Content-Length: 9", close=False)
    half_upload = _upload(run, "cut.bin", b"x" * 500)[:-200]
    for payload in (b"GET / HTTP/1.1\r\nHost: ", half_body + b"{", half_upload):
        with Wire(address) as wire:
            wire.send(payload)
            answer = wire.answer()
            assert answer is not None
            assert answer.status == 408
    (gone,) = exchange(address, request("GET", f"/api/v1/experiments/runs/{run}/artifacts/cut.bin"))
    assert gone.status == 404
    assert_healthy(address)


def test_a_large_batch_is_taken(address: Address, run: str) -> None:
    entries = [{"key": "m" * 250, "value": float(i), "step": i, "timestamp": 1_700_000_000_000} for i in range(10_000)]
    body = json.dumps({"metrics": entries, "params": [], "tags": []}).encode()
    padded = body + b" " * (30 * 1024 * 1024 - len(body))
    (answer,) = exchange(address, request("POST", f"/api/v1/experiments/runs/{run}/log-batch", JSON, body=padded))
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["metrics"] == 10_000


def test_500_slow_clients_do_not_stop_the_server(hasty: ServerProcess, address: Address, run: str) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "
    body = request("POST", f"/api/v1/experiments/runs/{run}/log-metrics", JSON, "Content-Length: 900", close=False)
    wires = [Wire(address) for _ in range(500)]
    try:
        for number, wire in enumerate(wires):
            wire.send(head if number % 2 else body)
        for _ in range(20):
            assert_healthy(address)
        logged = request("POST", f"/api/v1/experiments/runs/{run}/log-metrics", JSON, body=b'{"metrics": {"a": 1}}')
        (answer,) = exchange(address, logged)
        assert answer.status == 200
    finally:
        for wire in wires:
            wire.__exit__()
    assert hasty.process is not None
    assert hasty.process.poll() is None
