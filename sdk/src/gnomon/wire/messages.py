"""What every message of the API is made of: requests that refuse unknown fields, statuses, and doubles in JSON."""

import math
from typing import Literal

from msgspec import Struct

from gnomon.bounds import ParamText

RunStatus = Literal["running", "scheduled", "finished", "failed", "killed"]
EndStatus = Literal["finished", "failed", "killed"]
LifecycleStage = Literal["active", "deleted"]
NonFinite = Literal["NaN", "Infinity", "-Infinity"]
Number = float | NonFinite
Scalar = ParamText | int | float | bool | None
Direction = Literal["min", "max"]


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every request body."""


def to_wire(value: float) -> Number:
    """A double as JSON can say it: itself, or the name of a non-finite one."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def from_wire(value: Number) -> float:
    """The double behind a JSON number or the name of a non-finite one."""
    return float(value)
