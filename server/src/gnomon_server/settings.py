"""Every setting once: its name, default and what it does. Environment, command line and defaults make one frozen value.

`GNOMON_HOME` alone gives a working server: the database and the artifacts live below it.
"""

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct


class Settings(Struct, frozen=True):
    """The settings of one server. Each is read from `GNOMON_<NAME>`, and a command-line option wins over it."""

    home: Annotated[str, Meta(description="folder of the database and the artifacts")] = "~/.gnomon"
    host: Annotated[str, Meta(description="address to listen on; open mode allows loopback only")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="port to listen on; 0 takes a free one")] = 7417
    database: Annotated[str, Meta(description="database URL; empty: sqlite:///HOME/gnomon.db")] = ""
    artifacts: Annotated[
        str,
        Meta(description="object store of artifacts, s3://bucket/prefix (also gs://, az://); empty: HOME/artifacts"),
    ] = ""
    artifacts_endpoint: Annotated[
        str, Meta(description="https:// address of an S3-compatible store; empty: that of AWS")
    ] = ""
    artifacts_region: Annotated[str, Meta(description="region of the bucket; empty: what AWS_REGION says")] = ""
    artifacts_virtual_host: Annotated[
        bool, Meta(description="put the bucket into the host name of the endpoint instead of the path")
    ] = False
    artifacts_allow_http: Annotated[
        bool, Meta(description="take an http:// endpoint, which sends artifacts unencrypted")
    ] = False
    chunks: Annotated[
        str, Meta(description="object store of sealed points once they are old; empty: they stay in the database")
    ] = ""
    chunk_age_hours: Annotated[
        float, Meta(ge=0, description="how old the newest point of a chunk is when the chunk is moved there")
    ] = 168.0
    chunk_cache_bytes: Annotated[
        int, Meta(ge=0, description="how much of the moved chunks is kept on this disk for reading (HOME/cache)")
    ] = 1 << 30
    presign: Annotated[
        bool, Meta(description="send large artifacts past the server: addresses of the object store, for a short time")
    ] = False
    presign_secs: Annotated[int, Meta(ge=1, le=604_800, description="how long such an address is valid")] = 900
    workers: Annotated[
        int, Meta(ge=1, le=64, description="server processes on the port; more than one need PostgreSQL")
    ] = 1
    artifact_prefixes: Annotated[
        str, Meta(description="comma-separated s3:// prefixes that a client may name as artifact_location")
    ] = ""
    allowed_hosts: Annotated[
        str, Meta(description="comma-separated names that the Host header may say, besides loopback")
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="comma-separated addresses and networks of proxies that may say whom they speak for"
            " (X-Forwarded-For); nobody else is believed"
        ),
    ] = ""
    attempts_per_minute: Annotated[
        float,
        Meta(
            ge=0,
            description="how often a minute one address may try keys that open nothing, and as often begin or finish"
            " to sign in; 0: any number",
        ),
    ] = 60.0
    base_path: Annotated[
        str, Meta(description="path below which a proxy serves this server, such as /gnomon; the proxy strips it")
    ] = ""
    max_artifact_bytes: Annotated[int, Meta(ge=1, description="largest artifact file, in bytes")] = 1 << 40
    body_grace_secs: Annotated[
        float, Meta(gt=0, description="how long a body may be slower than 1 KiB/s before it is cut")
    ] = 10.0
    header_timeout_secs: Annotated[float, Meta(gt=0, description="how long a request's headers may take")] = 10.0
    drain_secs: Annotated[float, Meta(gt=0, description="how long a stopping server finishes requests")] = 10.0
    seal_points: Annotated[int, Meta(ge=1, description="points of a run's tail that make it due for sealing")] = 40_000
    seal_segments: Annotated[int, Meta(ge=1, description="requests of a run's tail that make it due")] = 512
    seal_idle_secs: Annotated[float, Meta(gt=0, description="a tail that stood still this long is sealed too")] = 60.0
    insecure_open: Annotated[
        bool, Meta(description="listen beyond loopback without API keys: anyone who reaches it may read and delete")
    ] = False
    hide_foreign_ids: Annotated[bool, Meta(description="answer 404 instead of 403 for an id of another tenant")] = False
    tenant_requests_per_sec: Annotated[
        float, Meta(ge=0, description="requests a second of one tenant once there are API keys; 0 bounds none")
    ] = 200.0
    tenant_points_per_sec: Annotated[
        float, Meta(ge=0, description="points a second of one tenant once there are API keys; 0 bounds none")
    ] = 200_000.0
    egress_allow: Annotated[
        str,
        Meta(
            description="comma-separated networks and host names that webhooks may reach besides the public Internet,"
            " over plain http and on any port too"
        ),
    ] = ""
    egress_public: Annotated[
        bool, Meta(description="whether webhooks may reach the public Internet; false: only what egress_allow lists")
    ] = True
    check_in_timeout_secs: Annotated[
        float,
        Meta(ge=0, description="a run whose job promised to check in and was not heard of so long is killed; 0: never"),
    ] = 300.0
    public_url: Annotated[
        str, Meta(description="address at which people open this server, such as https://gnomon.example.com")
    ] = ""
    oidc_issuer: Annotated[
        str, Meta(description="issuer of the identity provider with which people sign in; empty: with keys only")
    ] = ""
    oidc_client_id: Annotated[str, Meta(description="this server's client id at the provider")] = ""
    oidc_client_secret: Annotated[str, Meta(description="its secret; empty for a public client")] = ""
    oidc_scopes: Annotated[str, Meta(description="scopes that are asked for")] = "openid profile email"
    oidc_groups_claim: Annotated[
        str, Meta(description="claim that holds a person's groups; a path with dots goes into objects")
    ] = "groups"
    oidc_groups: Annotated[
        str, Meta(description="what groups open: group=tenant:role, …; role viewer, editor or admin; * is everybody")
    ] = ""
    oidc_label: Annotated[str, Meta(description="how the provider is called on the sign-in page")] = ""
    oidc_session_hours: Annotated[float, Meta(gt=0, le=720, description="how long a person stays signed in")] = 8.0
    artifact_grace_hours: Annotated[float, Meta(ge=0, description="how long an unused content is kept")] = 24.0
    retention_minutes: Annotated[
        float, Meta(ge=0, description="how often retention rules are applied; 0 applies them only when asked")
    ] = 60.0
    live_streams: Annotated[int, Meta(ge=0, description="how many pages may watch an experiment at once")] = 200
    otel_endpoint: Annotated[
        str,
        Meta(
            description="address of an OpenTelemetry collector, which gets spans of requests by OTLP/HTTP; empty: none"
        ),
    ] = ""
    otel_share: Annotated[
        float, Meta(ge=0, le=1, description="which part of the requests is traced, where the caller has not decided")
    ] = 1.0
    log_requests: Annotated[bool, Meta(description="one JSON log line a request")] = True

    @property
    def home_path(self) -> Path:
        return Path(self.home).expanduser().absolute()

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home_path / 'gnomon.db'}"


PREFIX = "GNOMON_"


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Settings from the environment, with the overrides that are not None on top.

    Raises `ValueError` naming the setting whose value cannot be used.
    """
    values: dict[str, object] = {}
    for name in Settings.__struct_fields__:
        if (text := environ.get(PREFIX + name.upper())) is not None:
            values[name] = text
    values.update((name, value) for name, value in overrides.items() if value is not None)
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"a setting cannot be used: {error}") from None


def proxy_networks(settings: Settings) -> tuple[str, ...]:
    """The proxies that are believed, as networks. Raises `ValueError` naming what is none."""
    try:
        return tuple(str(ip_network(part, strict=False)) for part in comma_list(settings.trusted_proxies))
    except ValueError as error:
        raise ValueError(f"GNOMON_TRUSTED_PROXIES lists addresses and networks, such as 10.0.0.0/8: {error}") from None


def is_postgresql(url: str) -> bool:
    """Whether a database URL names a PostgreSQL server, which several processes may share."""
    return url.startswith(("postgresql:", "postgres:"))


def comma_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
