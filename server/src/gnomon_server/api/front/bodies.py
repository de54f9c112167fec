"""Which bodies a route takes: their media types, how large they may be, and whether they may come compressed.

A route is recognised by its method and the end of its path, before routing. A route that is not named here takes JSON
of the ordinary size, so a forgotten one is strict rather than open.
"""

from dataclasses import dataclass

from gnomon_server.api.front.limits import FrontLimits

_JSON = frozenset((b"application/json",))
_JSON_OR_MSGPACK = frozenset((b"application/json", b"application/msgpack", b"application/x-msgpack"))
_JSON_OR_PROTOBUF = frozenset((b"application/json", b"application/x-protobuf"))
_MULTIPART = frozenset((b"multipart/form-data",))

# Spans, as OpenTelemetry sends them.
TRACES_PATH = "/v1/traces"
_INGEST_ENDS = frozenset(("log-metrics", "log-params", "log-batch", "batches", "log-metric", "log-inputs"))


@dataclass(frozen=True, slots=True)
class BodyRule:
    """`media` None takes any type; `max_bytes` None has no bound and counts what was unpacked.

    `held`: the body is held in memory as a whole, so it counts against the budgets; a streamed one never is.
    """

    media: frozenset[bytes] | None
    advice: str
    max_bytes: int | None
    packed: bool
    held: bool


class BodyRules:
    """The rule of each class of routes, under the given limits."""

    def __init__(self, limits: FrontLimits) -> None:
        self._json = BodyRule(_JSON, "application/json", limits.json_bytes, packed=True, held=True)
        self._ingest = BodyRule(
            _JSON_OR_MSGPACK, "application/json or application/msgpack", limits.ingest_bytes, packed=True, held=True
        )
        self._spans = BodyRule(
            _JSON_OR_PROTOBUF, "application/x-protobuf or application/json", limits.ingest_bytes, packed=True, held=True
        )
        self._form = BodyRule(_MULTIPART, "multipart/form-data", limits.artifact_bytes, packed=False, held=False)
        self._raw = BodyRule(None, "any type", limits.artifact_bytes, packed=False, held=False)

    def rule(self, method: str, path: str) -> BodyRule:
        if method == "PUT" and ("/artifacts/" in path or "/uploads/" in path):
            return self._raw
        end = path[path.rfind("/") + 1 :]
        if end in _INGEST_ENDS:
            return self._ingest
        if path == TRACES_PATH:
            return self._spans
        if end == "log-artifact":
            return self._form
        if end == "upload-artifact":
            return self._raw
        return self._json
