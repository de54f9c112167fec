"""Where the client's settings come from, and which of two wins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gnomon
from gnomon.places import spool_root
from gnomon.settings import DEFAULT_URL, Settings, load_settings


def config(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return {"GNOMON_CONFIG": str(path)}


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(environ={"XDG_CONFIG_HOME": str(tmp_path)})
    assert settings == Settings(url=DEFAULT_URL, api_key=None, tenant=None, timeout_secs=30.0)


def test_an_argument_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    environ = config(tmp_path, 'url = "http://file"\ntenant = "file"\napi_key = "file"\ntimeout_secs = 7\n')
    environ |= {"GNOMON_URL": "http://environment", "GNOMON_TENANT": "environment", "GNOMON_API_KEY": "environment"}
    settings = load_settings(url="http://argument/", environ=environ)
    assert settings == Settings(url="http://argument", api_key="environment", tenant="environment", timeout_secs=7.0)


def test_a_key_in_a_file_that_names_a_server_goes_to_that_server_alone(tmp_path: Path) -> None:
    environ = config(tmp_path, 'url = "http://file/"\napi_key = "secret"\n')
    assert load_settings(environ=environ).api_key == "secret"
    assert load_settings(url="http://file", environ=environ).api_key == "secret"
    assert load_settings(url="http://elsewhere", environ=environ).api_key is None
    assert load_settings(environ=environ | {"GNOMON_URL": "http://elsewhere"}).api_key is None
    without = config(tmp_path, 'api_key = "secret"\n')
    assert load_settings(url="http://elsewhere", environ=without).api_key == "secret"


def test_the_config_file_is_found_below_xdg_config_home(tmp_path: Path) -> None:
    (tmp_path / "gnomon").mkdir()
    (tmp_path / "gnomon" / "config.toml").write_text('tenant = "team-a"\n', "utf-8")
    assert load_settings(environ={"XDG_CONFIG_HOME": str(tmp_path)}).tenant == "team-a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("url = ", "is not TOML"),
        ('host = "x"', "unknown setting 'host'"),
        ('url = "ftp://x"', "is no server address"),
        ('url = "http://me:secret@x"', "keep the API key out of the address"),
        ('timeout_secs = "soon"', "positive number of seconds"),
        ("timeout_secs = 0", "positive number of seconds"),
        ('api_key = "a\\r\\nX-Tenant-ID: b"', "printable ASCII"),
        ('tenant = "\u00fc"', "printable ASCII"),
    ],
)
def test_what_cannot_be_used_is_said_plainly(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(gnomon.SettingsError, match=said):
        load_settings(environ=config(tmp_path, text))


def test_a_user_without_a_home_has_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare user id in a container: no HOME, and no name in the list of users."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987_654)
    assert load_settings(environ={}).url == DEFAULT_URL
    assert spool_root({}) == Path("/.local/state/gnomon/spool")


def test_a_config_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(gnomon.SettingsError, match="does not exist"):
        load_settings(environ={"GNOMON_CONFIG": str(tmp_path / "none.toml")})


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import sys, gnomon; print([m for m in ('urllib3', 'msgspec', 'click', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    assert [name for name in gnomon.__all__ if not hasattr(gnomon, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gnomon.nothing
