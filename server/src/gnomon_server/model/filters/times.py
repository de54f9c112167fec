"""Times and durations as a filter may say them; both become milliseconds.

A time is ISO 8601 (UTC unless it says otherwise), `now`, or relative to now: `-7d`, `-1h30m`. Units: ms, s, m, h, d, w.
"""

import re
from datetime import UTC, datetime, timedelta

from gnomon_server.model.points import MAX_TIME_MS

_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PIECE = r"(\d{1,15}(?:\.\d{1,9})?)\s*(ms|s|m|h|d|w)"
_DURATION = re.compile(rf"(?:{_PIECE}\s*)+", re.ASCII)
_PIECES = re.compile(_PIECE, re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_duration(text: str) -> float | None:
    """Milliseconds of `5m` or `1h30m`; None where the text is no duration."""
    folded = text.strip().lower()
    if _DURATION.fullmatch(folded) is None:
        return None
    return sum(float(amount) * _UNIT_MS[unit] for amount, unit in _PIECES.findall(folded))


def read_time(text: str, *, now_ms: int) -> float | None:
    """Unix milliseconds of a time; None where the text is none, or lies outside 1970 to 9999."""
    folded = text.strip()
    if folded.lower() == "now":
        return float(now_ms)
    if folded[:1] in ("-", "+"):
        amount = read_duration(folded[1:])
        if amount is None:
            return None
        return min(max(now_ms + (amount if folded[0] == "+" else -amount), 0.0), float(MAX_TIME_MS))
    try:
        moment = datetime.fromisoformat(folded)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    time_ms = (moment - _EPOCH) / timedelta(milliseconds=1)
    return time_ms if 0 <= time_ms <= MAX_TIME_MS else None
