"""Where the server is and who is asking: arguments, then environment, then config file, then defaults.

| Setting        | Environment          | Config file    | Default                 |
|----------------|----------------------|----------------|-------------------------|
| `url`          | `GNOMON_URL`         | `url`          | `http://127.0.0.1:7417` |
| `api_key`      | `GNOMON_API_KEY`     | `api_key`      | none (open mode)        |
| `tenant`       | `GNOMON_TENANT`      | `tenant`       | what the server implies |
| `timeout_secs` | `GNOMON_TIMEOUT`     | `timeout_secs` | 30                      |

The config file is TOML: `$GNOMON_CONFIG`, else `$XDG_CONFIG_HOME/gnomon/config.toml`, else
`~/.config/gnomon/config.toml`; `gnomon login` writes it. The key is never printed: it is left out of `repr`. A key in a
file that names a server goes to that server alone, whatever other address is given elsewhere.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gnomon.errors import SettingsError

DEFAULT_URL = "http://127.0.0.1:7417"
DEFAULT_TIMEOUT_SECS = 30.0

_ENVIRONMENT = {
    "url": "GNOMON_URL",
    "api_key": "GNOMON_API_KEY",
    "tenant": "GNOMON_TENANT",
    "timeout_secs": "GNOMON_TIMEOUT",
}


@dataclass(frozen=True)
class Settings:
    """One server and one caller."""

    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    tenant: str | None = None
    timeout_secs: float = DEFAULT_TIMEOUT_SECS

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(
                f"{self.url!r} is no server address; write one like {DEFAULT_URL} or https://host/prefix"
            )
        if parts.username or parts.password:
            raise SettingsError("keep the API key out of the address; give it as GNOMON_API_KEY")
        for name, value in (("API key", self.api_key), ("tenant", self.tenant)):
            if value is not None and not (value.isascii() and value.isprintable() and value.strip() == value and value):
                raise SettingsError(f"the {name} must be printable ASCII without spaces around it")
        if not 0 < self.timeout_secs < float("inf"):
            raise SettingsError(f"the time-out must be a positive number of seconds, not {self.timeout_secs}")


def load_settings(
    *,
    url: str | None = None,
    api_key: str | None = None,
    tenant: str | None = None,
    timeout_secs: float | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """What is given here, completed from the environment, the config file and the defaults, in this order."""
    chosen: dict[str, str] = _read_config(environ)
    file_url = chosen.get("url", "").rstrip("/")
    given = {name: environ[variable] for name, variable in _ENVIRONMENT.items() if environ.get(variable)}
    to = (url or given.get("url") or file_url or DEFAULT_URL).rstrip("/")
    if file_url and to != file_url:
        chosen.pop("api_key", None)
    chosen |= given
    return Settings(
        url=to,
        api_key=api_key or chosen.get("api_key"),
        tenant=tenant or chosen.get("tenant"),
        timeout_secs=timeout_secs if timeout_secs is not None else _seconds(chosen.get("timeout_secs")),
    )


def user_home() -> Path:
    """The user's home folder; "/" where there is none, as container runtimes say of a user id without a name."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the config file is looked for."""
    if given := environ.get("GNOMON_CONFIG"):
        return Path(given)
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else user_home() / ".config") / "gnomon" / "config.toml"


def _read_config(environ: Mapping[str, str]) -> dict[str, str]:
    path = config_path(environ)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if environ.get("GNOMON_CONFIG"):
            raise SettingsError(f"GNOMON_CONFIG names a file that does not exist: {path}") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the config file cannot be read ({error}): {path}") from error
    import tomllib  # only who has a config file pays for it

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the config file is not TOML ({error}): {path}") from error
    if unknown := sorted(set(table) - set(_ENVIRONMENT)):
        known = ", ".join(_ENVIRONMENT)
        raise SettingsError(f"the config file has the unknown setting {unknown[0]!r}; there are {known}: {path}")
    return {name: str(value) for name, value in table.items()}


def _seconds(text: str | None) -> float:
    if text is None:
        return DEFAULT_TIMEOUT_SECS
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"the time-out must be a positive number of seconds, not {text!r}") from None
