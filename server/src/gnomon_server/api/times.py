"""Times as the native API says them: ISO 8601, UTC, `Z`, milliseconds."""

from datetime import UTC, datetime, timedelta

from gnomon_server.model.errors import invalid_field
from gnomon_server.model.points import MAX_TIME_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(time_ms: int) -> str:
    """For example `2026-11-23T12:00:00.000Z`."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def parse_time(value: str | int, *, field: str) -> int:
    """Unix milliseconds from ISO 8601 text (without an offset: UTC) or from a number of them."""
    if isinstance(value, int):
        time_ms = value
    else:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise invalid_field(field, "is not a time; write it as 2026-11-23T12:00:00.000Z") from None
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        time_ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= time_ms <= MAX_TIME_MS:
        raise invalid_field(field, "is not between 1970 and 9999")
    return time_ms
