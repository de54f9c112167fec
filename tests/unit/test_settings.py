"""Settings: every one has a name, a default, a meaning and a bound, and what cannot be used is named."""

from pathlib import Path

import msgspec
import pytest

from gnomon_server.settings import PREFIX, Settings, comma_list, load_settings


def test_a_server_needs_no_setting() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 7417)
    assert settings.home_path == Path("~/.gnomon").expanduser()
    assert settings.database_url == f"sqlite:///{settings.home_path / 'gnomon.db'}"


def test_the_environment_sets_and_the_command_line_wins() -> None:
    environ = {"GNOMON_PORT": "1234", "GNOMON_HOME": "/srv/gnomon", "GNOMON_LOG_REQUESTS": "false", "PORT": "9"}
    settings = load_settings(environ, port=4321, host=None)
    assert (settings.port, settings.home, settings.host) == (4321, "/srv/gnomon", "127.0.0.1")
    assert settings.log_requests is False
    assert settings.database_url == "sqlite:////srv/gnomon/gnomon.db"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "-1"),
        ("port", "65536"),
        ("port", "http"),
        ("port", ""),
        ("max_artifact_bytes", "0"),
        ("seal_points", "0"),
        ("seal_idle_secs", "0"),
        ("header_timeout_secs", "-1"),
        ("artifact_grace_hours", "-0.1"),
        ("log_requests", "maybe"),
        ("attempts_per_minute", "-1"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        load_settings({f"GNOMON_{name.upper()}": value})


def test_every_setting_says_what_it_does() -> None:
    for field in msgspec.structs.fields(Settings):
        meta = next((each for each in getattr(field.type, "__metadata__", ()) if each.description), None)
        assert meta is not None, field.name
        assert field.default is not msgspec.NODEFAULT, field.name
        assert load_settings({PREFIX + field.name.upper(): _text(field.default)}) == Settings(), field.name


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_lists_are_split_at_commas() -> None:
    assert comma_list("") == ()
    assert comma_list(" a, b ,,c ") == ("a", "b", "c")
