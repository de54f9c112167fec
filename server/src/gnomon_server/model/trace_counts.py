"""How strongly two ways of choosing traces go together: normalised pointwise mutual information (Bouma 2009).

-1: never together, 0: as often as by chance, 1: always together. None where a way chooses nothing, so that there is
nothing to compare.
"""

import math

from msgspec import Struct

# Half a trace in each of the four cells (Jeffreys' prior), so that few traces do not look like certainty.
_PRIOR = 0.5


class TraceCounts(Struct, frozen=True):
    """Of `total` traces, how many the first and the second way choose, and how many both."""

    total: int
    first: int
    second: int
    both: int

    @property
    def npmi(self) -> float | None:
        if not self.first or not self.second:
            return None
        return -1.0 if not self.both else self._npmi(0.0)

    @property
    def npmi_smoothed(self) -> float | None:
        return self._npmi(_PRIOR) if self.first and self.second else None

    def _npmi(self, prior: float) -> float:
        if self.both == self.total:
            return 1.0
        both, total = self.both + prior, self.total + 4 * prior
        first, second = self.first + 2 * prior, self.second + 2 * prior
        information = math.log(both) + math.log(total) - math.log(first) - math.log(second)
        return max(-1.0, min(1.0, information / (math.log(total) - math.log(both))))
