"""`gnomon login` and `logout`: a key is kept only when the server knows it, and only its owner can read it."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.secured import Key, make_key
from tests.support.server_process import ServerProcess

from gnomon.cli import cli


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("login") / "home"


@pytest.fixture(scope="module")
def editor(home: Path) -> Key:
    return make_key(home, "editor", "team-a", name="ada")


@pytest.fixture(scope="module")
def secured(home: Path, editor: Key) -> Iterator[ServerProcess]:
    running = ServerProcess(home).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "xdg" / "gnomon" / "config.toml"


def gn(config: Path, *args: str, given: str = "", **variables: str) -> Result:
    env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("GNOMON_")}
    env |= {"XDG_CONFIG_HOME": str(config.parent.parent)} | variables
    return CliRunner().invoke(cli, args, input=given, env=env)


def test_after_login_commands_and_scripts_need_no_key(secured: ServerProcess, editor: Key, config: Path) -> None:
    refused = gn(config, "--url", secured.base_url, "experiments", "list")
    assert refused.exit_code == 1
    done = gn(config, "login", secured.base_url, given=f"{editor.text}\n")
    assert done.exit_code == 0, done.stderr
    assert f"{secured.base_url} knows you as ada: editor, tenant team-a" in done.stdout
    assert editor.text not in done.stdout + done.stderr
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    made = gn(config, "experiments", "create", "mine")
    assert made.exit_code == 0, made.stderr
    script = "import gnomon; print([e.name for e in gnomon.Client().experiments.iterate()])"
    env = {**os.environ, "XDG_CONFIG_HOME": str(config.parent.parent)}
    out = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout
    assert "'mine'" in out


def test_a_training_script_logs_with_the_key_that_login_kept(
    secured: ServerProcess, editor: Key, config: Path, tmp_path: Path
) -> None:
    gn(config, "login", secured.base_url, given=editor.text)
    script = "import gnomon\nwith gnomon.init('trained', capture=False) as run: run.log({'loss': 1.0})\nprint(run.id)"
    env = {**os.environ, "XDG_CONFIG_HOME": str(config.parent.parent), "GNOMON_SPOOL": str(tmp_path / "spool")}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    shown = gn(config, "runs", "show", done.stdout.strip(), "--json")
    assert json.loads(shown.stdout)["metrics"] == {"loss": 1.0}
    assert json.loads(shown.stdout)["created_by"] == "ada"


@pytest.mark.parametrize("given", ["gnm_aaaaaaaaaa_wrong", "", "two words"])
def test_a_key_that_the_server_does_not_know_is_not_kept(secured: ServerProcess, config: Path, given: str) -> None:
    refused = gn(config, "login", secured.base_url, given=given)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr
    assert not config.exists()


def test_login_replaces_a_file_that_others_could_read_and_keeps_its_other_settings(
    secured: ServerProcess, editor: Key, config: Path
) -> None:
    config.parent.mkdir(parents=True)
    config.write_text('timeout_secs = 7\ntenant = "team-a"\napi_key = "old"\n')
    config.chmod(0o644)
    done = gn(config, "login", secured.base_url, "--json", given=editor.text)
    assert json.loads(done.stdout)["me"]["tenants"] == ["team-a"]
    assert config.read_text() == (
        f'timeout_secs = 7\ntenant = "team-a"\napi_key = "{editor.text}"\nurl = "{secured.base_url}"\n'
    )
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]


def test_logout_forgets_the_key_and_keeps_the_address(secured: ServerProcess, editor: Key, config: Path) -> None:
    gn(config, "login", secured.base_url, given=editor.text)
    assert gn(config, "logout").exit_code == 0
    assert config.read_text() == f'url = "{secured.base_url}"\n'
    assert gn(config, "experiments", "list").exit_code == 1
    again = gn(config, "logout", "--json")
    assert json.loads(again.stdout)["had_key"] is False


def test_the_environment_goes_before_the_file_and_login_says_so(
    secured: ServerProcess, editor: Key, config: Path
) -> None:
    done = gn(config, "login", secured.base_url, given=editor.text, GNOMON_API_KEY="another")
    assert done.exit_code == 0
    assert "GNOMON_API_KEY is set, and goes before the file" in done.stderr
    assert gn(config, "experiments", "list", GNOMON_API_KEY="another").exit_code == 1


def test_an_open_server_is_kept_without_a_key(server: ServerProcess, config: Path) -> None:
    done = gn(config, "login", server.base_url)
    assert done.exit_code == 0, done.stderr
    assert "asks nobody for a key" in done.stdout
    assert config.read_text() == f'url = "{server.base_url}"\n'


def test_a_config_file_that_is_named_is_made_where_it_is_named(
    secured: ServerProcess, editor: Key, config: Path, tmp_path: Path
) -> None:
    named = tmp_path / "elsewhere" / "my.toml"
    done = gn(config, "login", secured.base_url, given=editor.text, GNOMON_CONFIG=str(named))
    assert done.exit_code == 0, done.stderr
    assert (stat.S_IMODE(named.stat().st_mode), config.exists()) == (0o600, False)
