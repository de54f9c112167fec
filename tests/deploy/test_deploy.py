"""The files of deploy/, held to the tools that read them: Helm, Kubernetes' schemas, hadolint, Compose, PromQL."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gnomon_server.settings import PREFIX, Settings
from tests.support.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the tools, in an environment of their own."""
    subprocess.run(["make", "--no-print-directory", ".venv-deploy/.installed"], cwd=ROOT, check=True)
    return ROOT / ".venv-deploy" / "bin"


def _run(*command: str | Path, text: str | None = None, **env: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, input=text, cwd=ROOT, env={**os.environ, **env}
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="session")
def chart(tools: Path) -> dict[str, Any]:
    answer = json.loads(_run(tools / "python", HERE / "check_chart.py", DEPLOY / "helm" / "gnomon"))
    assert isinstance(answer, dict)
    return answer


def _one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (each for each in objects if each.get("kind") == kind)
    return found


def _kinds(objects: list[dict[str, Any]]) -> list[str]:
    return sorted(each["kind"] for each in objects if "kind" in each)


def _server(objects: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The server's container, and its environment by name."""
    (container,) = _one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return container, {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_the_chart_is_linted_rendered_and_valid(chart: dict[str, Any]) -> None:
    plain, shared, ingress = (chart["rendered"][case] for case in ("default", "postgresql", "ingress"))
    assert _kinds(plain) == ["Deployment", "PersistentVolumeClaim", "Service"]
    assert _kinds(shared) == ["Deployment", "Job", "PersistentVolumeClaim", "PodDisruptionBudget", "Service"]
    assert _kinds(ingress) == ["Deployment", "Ingress", "Service", "ServiceMonitor"]
    assert _one(plain, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert _one(shared, "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    objects = chart["rendered"]["objects"]
    assert _kinds(objects) == ["Deployment", "Job", "PodDisruptionBudget", "Service"]
    container, env = _server(objects)
    assert env["GNOMON_ARTIFACTS"] == "s3://b/p"
    assert container["envFrom"] == [{"secretRef": {"name": "aws"}}]
    container, env = _server(shared)
    assert env["GNOMON_TENANT_POINTS_PER_SEC"] == "500000"
    assert env["GNOMON_LOG_REQUESTS"] == "false"
    assert env["GNOMON_DATABASE"] == {"secretKeyRef": {"name": "postgres", "key": "url"}}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert "track.internal" in _server(ingress)[1]["GNOMON_ALLOWED_HOSTS"].split(",")
    assert "keys create" in chart["rendered"]["setup"][-1]["notes"]


def test_the_chart_refuses_what_would_not_work(chart: dict[str, Any]) -> None:
    assert set(chart["refused"]) == {
        "two servers on one SQLite",
        "two servers, one volume",
        "an unknown value",
        "a size without a unit",
    }
    assert "need PostgreSQL" in chart["refused"]["two servers on one SQLite"]
    assert "ReadWriteMany" in chart["refused"]["two servers, one volume"]


def test_what_the_files_set_are_settings_that_exist(chart: dict[str, Any]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__}
    used = {name for case in chart["rendered"].values() for name in _server(case)[1] if name.startswith(PREFIX)}
    for path in (DEPLOY / "compose.yaml", DEPLOY / "Dockerfile"):
        used |= set(re.findall(r"\b(GNOMON_(?!IMAGE|BIND|RELEASE)[A-Z_]+)\b", path.read_text()))
    assert used <= known, used - known
    assert used


def test_the_server_answers_the_probes_as_they_ask(server: ServerProcess, chart: dict[str, Any]) -> None:
    container, _ = _server(chart["rendered"]["default"])
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        headers = {header["name"]: header["value"] for header in asked["httpHeaders"]}
        assert httpx.get(f"{server.base_url}{asked['path']}", headers=headers).status_code == 200


def test_the_image_is_linted(tools: Path) -> None:
    _run(tools / "hadolint", "--failure-threshold", "info", DEPLOY / "Dockerfile")
    stages = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert all((ROOT / name).exists() for line in stages for name in line.split())
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"!sdk", "!server", "!ui"} <= set(ignored)


def test_the_compose_file_is_read_by_compose(tools: Path) -> None:
    compose = ["docker-compose", "--file", str(DEPLOY / "compose.yaml"), "--profile", "tools", "config"]
    found = yaml.safe_load(_run(tools / compose[0], *compose[1:], POSTGRES_PASSWORD="secret", OBJECTS_SECRET="key"))
    assert set(found["services"]) == {"server", "migrate", "keys", "database", "objects"}
    serving, owner = (found["services"][name]["environment"]["GNOMON_DATABASE"] for name in ("server", "migrate"))
    assert serving.startswith("postgresql://gnomon:secret@database/")
    assert owner.startswith("postgresql://owner:secret@database/")
    assert found["services"]["server"]["ports"][0]["host_ip"] == "127.0.0.1"
    for script in ("serving-role.sh", "objects.sh"):
        _run("sh", "-n", DEPLOY / script)


def test_every_metric_that_dashboard_and_alerts_name_is_there(tools: Path, server: ServerProcess) -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids) > 8
    rules = yaml.safe_load((DEPLOY / "grafana" / "alerts.yaml").read_text())["groups"][0]["rules"]
    expressions += [rule["expr"] for rule in rules]
    lines = "\n".join(each.replace("$__rate_interval", "5m") for each in expressions)
    named = json.loads(_run(tools / "python", HERE / "check_promql.py", text=lines))
    with server.client() as api:
        api.get("/experiments").raise_for_status()  # so that each counter has been counted
        page = api.get(f"{server.base_url}/metrics").text
    there = set(re.findall(r"^([a-z_]+)(?:\{| )", page, re.MULTILINE))
    assert set(named) <= there, set(named) - there
    own = {name for name in there if name.startswith("gnomon_") and not name.endswith(("_created", "_sum", "_count"))}
    assert own <= set(named), f"not on the dashboard: {own - set(named)}"
