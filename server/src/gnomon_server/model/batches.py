"""What one logging request wants kept: points, params and tags of one run, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from gnomon_server.model.points import PointBatch


class Identity(Struct, frozen=True):
    """Who sent a batch and as which: `seq` counts a writer's batches from 0, so that a repeat is known for one."""

    writer: str
    seq: int


@dataclass(frozen=True, slots=True)
class RunBatch:
    """A validated batch. Without an identity, points equal in key, step, time and value count once."""

    run: str
    points: PointBatch | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str | None] = field(default_factory=dict)
    identity: Identity | None = None


class BatchKept(Struct, frozen=True):
    """The answer of a committed batch; `is_duplicate` when it had been kept before and changed nothing now."""

    is_duplicate: bool = False
