"""What one logging request wants kept: points, params and tags of one run, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from gnomon_server.model.points import PointBatch


class NewRun(Struct, frozen=True):
    """The run to begin when a batch names one that is not there: where it belongs, and what is said of it then.

    `experiment` is the id of one that exists or, with `is_by_name`, a name, whose experiment is made when it is absent.
    """

    experiment: str
    is_by_name: bool
    may_make_experiment: bool
    created_by: str
    name: str | None = None
    description: str = ""
    tags: Mapping[str, str] = {}
    start_ms: int | None = None


class Identity(Struct, frozen=True):
    """Who sent a batch and as which: `seq` counts a writer's batches from 0, so that a repeat is known for one.

    `thinned`: how many points the writer logged and did not keep, since its last batch.
    """

    writer: str
    seq: int
    thinned: int = 0


@dataclass(frozen=True, slots=True)
class RunBatch:
    """A validated batch. Without an identity, points equal in key, step, time and value count once.

    `name` is a new name for the run; None keeps the one it has. `is_check_in`: it holds nothing, and says that the job
    of the run lives.
    """

    run: str
    points: PointBatch | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str | None] = field(default_factory=dict)
    identity: Identity | None = None
    create: NewRun | None = None
    name: str | None = None
    is_check_in: bool = False


class BatchKept(Struct, frozen=True):
    """The answer of a committed batch; `is_duplicate` when it had been kept before and changed nothing now."""

    is_duplicate: bool = False
