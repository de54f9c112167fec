"""What was found out of a home: for each kind of thing how many were looked at, and those that are not as they were
written.
"""

from collections.abc import Callable

from msgspec import Struct

# What is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

# So many of a kind are named; the rest are counted.
MOST_NAMED = 100


class Finding(Struct, frozen=True, order=True):
    """A thing that is not as it was written: where it stands, and what is wrong with it."""

    place: str
    says: str


class Verdict(Struct, frozen=True):
    """Of one kind of thing: what was looked at, how many there are, how many are wrong, and the first of these."""

    name: str
    of: str
    checked: int
    wrong: int
    findings: list[Finding]


class Tally:
    """A verdict while it is being reached."""

    def __init__(self, name: str, of: str) -> None:
        self._name, self._of = name, of
        self._findings: list[Finding] = []
        self.checked = self.wrong = 0

    def add(self, found: list[Finding]) -> None:
        """Count things that are wrong, and remember the first."""
        self.wrong += len(found)
        self._findings += found[: MOST_NAMED - len(self._findings)]

    def verdict(self) -> Verdict:
        return Verdict(self._name, self._of, self.checked, self.wrong, self._findings)
