"""Rules of the house that no other tool holds: sizes, names, docstrings, permissions, versions, licences, imports."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
from litestar import get
from litestar.app import Litestar
from packaging.requirements import Requirement
from packaging.version import Version

from gnomon_server.api import mlflow, system
from gnomon_server.api.guards import PERMISSION, refuse_unguarded
from gnomon_server.api.native import ROUTES
from gnomon_server.core.roles import EVERY_PERMISSION
from gnomon_server.store.meta.engine import MIN_SQLITE

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("sdk/src", "server/src", "tests", "bench", "scripts", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts)
)
PRODUCT = [path for path in SOURCES if "src" in path.relative_to(ROOT).parts]
MIN_VERSIONS = tomllib.loads((ROOT / "security" / "min_versions.toml").read_text())
MAX_LINES = 400
# Licences that ask nothing of whoever passes the program on but to keep their notices.
PERMISSIVE = re.compile(
    r"MIT( License)?|BSD(-[023]-Clause)?( License)?|0BSD|Apache(-2\.0| Software License| 2\.0)|PSF-2\.0|ISC|CC0-1\.0"
    r"|Zlib|Python Software Foundation License"
)
# Without a licence in their metadata, or with one that is not permissive for a reason that is written here.
READ_BY_HAND = {
    "pysqlite3": "zlib (its LICENSE file)",
    "certifi": "MPL-2.0: a list of certificates, passed on as it is; comes with Litestar's test client, never loaded",
}


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_files_are_short() -> None:
    long = {_id(path): n for path in SOURCES if (n := len(path.read_text().splitlines())) > MAX_LINES}
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [_id(path) for path in SOURCES if ast.get_docstring(_tree(path)) is None and path.read_text().strip()]
    assert silent == []


def test_no_room_is_called_after_nothing() -> None:
    vague = re.compile(r"^(utils?|helpers?|common|misc|lib|base|shared|stuff|tools)$")
    assert [_id(path) for path in SOURCES if any(vague.match(part) for part in (path.stem, path.parent.name))] == []


def test_no_work_is_put_off_in_comments() -> None:
    put_off = re.compile(r"#.*\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
    found = [
        f"{_id(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if put_off.search(line)
    ]
    assert found == []


def test_nothing_below_the_api_is_async() -> None:
    coloured = [
        _id(path)
        for path in PRODUCT
        if {"core", "store", "model"} & set(path.relative_to(ROOT).parts)
        and any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(_tree(path)))
    ]
    assert coloured == []


def test_the_server_evaluates_unpickles_and_starts_nothing() -> None:
    """S5: what comes from outside is never code, a template, an archive or a command."""
    banned = {"pickle", "marshal", "shelve", "subprocess", "tarfile", "zipfile", "yaml", "xml", "jinja2", "mako"}
    calls = {"eval", "exec", "compile", "__import__"}
    found = []
    for path in PRODUCT:
        if "gnomon_server" not in path.parts:
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").partition(".")[0]}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = {node.func.id} & calls
            else:
                continue
            if wrong := names & (banned | calls):
                found.append(f"{_id(path)}:{node.lineno} {wrong}")
    assert found == []


def test_connections_are_opened_in_one_place() -> None:
    """W1: of the server, only the engine, the migrations, and what they hand a connection to, know the driver.

    A backup and a move copy a whole database and compare the copy; they read no tenant's rows for anybody.
    """
    openers = {
        _id(path)
        for path in PRODUCT
        if "gnomon_server" in path.parts
        and re.search(r"\b(sqlite3?|pysqlite3|dbapi2)\.connect\(|create_engine\(", path.read_text())
    }
    store = "server/src/gnomon_server/store"
    known = {f"{store}/meta/{name}.py" for name in ("engine", "migrate", "postgres", "migrate_postgres")}
    assert openers <= {
        *known,
        f"{store}/backup.py",
        f"{store}/backup_objects.py",
        f"{store}/meta/copying.py",
        f"{store}/meta/move.py",
    }


def test_every_route_declares_a_permission_that_exists() -> None:
    handlers = [*ROUTES, *system.ROUTES, *mlflow.ROUTES]
    assert len(handlers) > 50
    for handler in handlers:
        declared = [getattr(guard, PERMISSION) for guard in handler.guards or [] if hasattr(guard, PERMISSION)]
        assert len(declared) == 1, handler.paths
        assert declared[0] in EVERY_PERMISSION, handler.paths
        method = next(iter(handler.http_methods))
        if method in ("PATCH", "DELETE", "PUT") and declared[0] != "public":
            assert not declared[0].endswith(".read"), handler.paths


def test_an_app_with_an_unguarded_route_does_not_start() -> None:
    @get("/forgotten")
    async def forgotten() -> None:
        """A route without a permission."""

    with pytest.raises(RuntimeError, match="/forgotten declares no permission"):
        refuse_unguarded(Litestar([forgotten], openapi_config=None, logging_config=None).routes)


def _runtime() -> dict[str, Distribution]:
    """What `pip install gnomon` brings, by name."""
    found: dict[str, Distribution] = {}

    def walk(name: str, extras: tuple[str, ...]) -> None:
        known = _normal(name)
        if known in found:
            return
        found[known] = distribution(name)
        for text in found[known].requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                walk(needed.name, tuple(needed.extras))

    walk("gnomon", ())
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_driver_of_postgresql_is_an_extra() -> None:
    """It is LGPL, and what everybody gets is free of copyleft (docs/adr/0010)."""
    extra = [text for text in distribution("gnomon").requires or () if text.startswith("psycopg")]
    assert not {name for name in _runtime() if name.startswith("psycopg")}
    assert all("extra ==" in text for text in extra)


def test_versions_are_not_older_than_the_faults_we_know() -> None:
    assert Version(sqlite.sqlite_version) >= Version(MIN_VERSIONS["sqlite"]["minimum"])
    assert ".".join(map(str, MIN_SQLITE)) == MIN_VERSIONS["sqlite"]["minimum"]
    installed = _runtime()
    for name, entry in MIN_VERSIONS["packages"].items():
        assert entry["reason"]
        assert Version(installed[name].version) >= Version(entry["minimum"]), name
    assert set(installed) & set(MIN_VERSIONS["never"]["packages"]) == set()


def test_nobody_is_asked_for_less_than_those_versions() -> None:
    """Who installs beside an old version of a package gets a newer one, or is told that they do not go together."""
    projects = [
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"] for folder in ("sdk", "server")
    ]
    extras = [text for one in projects for more in one.get("optional-dependencies", {}).values() for text in more]
    for needed in map(Requirement, (*projects[0]["dependencies"], *projects[1]["dependencies"], *extras)):
        entry = MIN_VERSIONS["packages"].get(_normal(needed.name))
        lowest = [Version(each.version) for each in needed.specifier if each.operator == ">="]
        if entry is not None:
            assert max(lowest) >= Version(entry["minimum"]), str(needed)


def test_what_comes_with_litestars_test_client_is_never_loaded() -> None:
    """Its licences and faults are not ours then: nothing of a running server asks another for anything."""
    code = "import sys, gnomon_server.__main__, gnomon_server.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & {"certifi", "httpx", "httpcore"}


def test_requirements_pin_every_package_that_runs() -> None:
    pinned = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    versions = {_normal(name): version for name, version in pinned.items()}
    for name, found in _runtime().items():
        if not name.startswith("gnomon"):
            assert versions.get(name) == found.version, name


def test_licences_of_what_runs_are_permissive() -> None:
    wrong = {}
    for name, found in _runtime().items():
        meta = found.metadata
        text = meta.get("License-Expression") or ""
        if not text:
            listed = [line.rpartition(" :: ")[2] for line in meta.get_all("Classifier") or () if line[:7] == "License"]
            text = " AND ".join(listed) or (meta.get("License") or "").partition("\n")[0]
        parts = [part.strip(" ()") for part in re.split(r"\s+(?:AND|OR)\s+", text or "")]
        if not all(PERMISSIVE.fullmatch(part) for part in parts) and name not in READ_BY_HAND:
            wrong[name] = text
    assert wrong == {}


def test_import_gnomon_is_light() -> None:
    """A training job pays for what it uses: the import loads one module. Time would depend on the machine."""
    code = "import sys; before = set(sys.modules); import gnomon; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["gnomon"]


def test_the_sdk_needs_little_and_nothing_of_the_server() -> None:
    needs = {
        _normal(Requirement(text).name) for text in distribution("gnomon-sdk").requires or () if "extra" not in text
    }
    assert needs == {"msgspec", "urllib3", "click"}
    code = "import sys, gnomon; gnomon.Client, gnomon.init; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"gnomon_server", "numpy", "pyarrow", "rich", "click", "litestar", "sqlalchemy", "torch"}
