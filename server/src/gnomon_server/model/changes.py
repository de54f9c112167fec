"""What a committed transaction changed, as far as somebody may be watching."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from gnomon_server.model.ids import KeyId, RowId, TenantId


class Change(NamedTuple):
    """One change in an experiment.

    `run`: the row, params or tags of one run, or a new run. `points`: series of one run, those of `keys`, took points.
    `experiment`: its own row. `runs`: so many of its runs at once that they are not told one by one.
    """

    kind: Literal["run", "points", "experiment", "runs"]
    tenant: TenantId
    experiment: RowId
    run: RowId = RowId(0)
    keys: Sequence[KeyId] = ()
