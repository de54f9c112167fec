"""What rules over metrics ARE, and how one is judged from the summaries of a run's metrics."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

RuleKind = Literal["threshold", "nonfinite", "no_progress", "silent"]
Aggregate = Literal["last", "min", "max", "mean"]
Comparison = Literal[">", ">=", "<", "<="]
Direction = Literal["min", "max"]

_COMPARE: Mapping[Comparison, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_MOST_NAMED = 3


class RuleContent(Struct, frozen=True):
    """What a rule waits for, and what it does then. Which fields count is said by the kind:

    - threshold: `aggregate` of `metric` stands in `comparison` to `value`
    - nonfinite: a NaN or an infinity came, in `metric` or in any
    - no_progress: the best value of `metric` (by `direction`) is `steps` steps or `minutes` minutes old
    - silent: nothing was heard of a running run for `minutes`: no point, no check-in
    """

    name: str
    kind: RuleKind
    metric: str = ""
    aggregate: Aggregate = "last"
    comparison: Comparison = ">"
    value: float = 0.0
    direction: Direction = "min"
    steps: float | None = None
    minutes: float | None = None
    filter: str = ""
    tags: Mapping[str, str] = {}
    webhook: str | None = None
    ends_run: bool = False

    @property
    def is_timed(self) -> bool:
        """Whether time alone can make it fire."""
        return self.minutes is not None


class Rule(Struct, frozen=True):
    """A rule of an experiment."""

    uid: str
    content: RuleContent
    is_active: bool
    created_by: str
    created_ms: int
    updated_ms: int


class Firing(Struct, frozen=True):
    """That a rule fired for a run. Once cleared it may fire again."""

    run: str
    run_name: str
    fired_ms: int
    message: str
    cleared_ms: int | None


class Summary(Struct, frozen=True):
    """One metric of a run as it stands; values None where there is none (`last`: NaN)."""

    name: str
    n: int
    nonfinite: int
    last: float | None
    last_step: float
    low: float | None
    low_step: float | None
    high: float | None
    high_step: float | None
    total: float


def judge(content: RuleContent, summaries: Sequence[Summary], *, told: int = 0) -> str | None:
    """Why a rule that no time makes fire holds; None while it does not. `told`: non-finite values told of before."""
    match content.kind:
        case "threshold":
            found = _named(summaries, content.metric)
            value = None if found is None else aggregate_of(found, content.aggregate)
            if value is None or not _COMPARE[content.comparison](value, content.value):
                return None
            said = f"{content.comparison} {content.value:.6g}"
            return f"{content.aggregate} of {content.metric} is {value:.6g} ({said})"
        case "nonfinite":
            bad = [each for each in summaries if each.nonfinite and content.metric in ("", each.name)]
            if sum(each.nonfinite for each in bad) <= told:
                return None
            more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
            return f"NaN or infinity in {', '.join(each.name for each in bad[:_MOST_NAMED])}{more}"
        case "no_progress":
            found = _named(summaries, content.metric)
            best = None if found is None else best_of(found, content.direction)
            if found is None or best is None or content.steps is None or found.last_step - best[1] < content.steps:
                return None
            return f"{content.metric} has not improved for {found.last_step - best[1]:.6g} steps (best {best[0]:.6g})"
        case _:
            return None


def nonfinite_of(content: RuleContent, summaries: Sequence[Summary]) -> int:
    """How many non-finite values a rule looks at."""
    return sum(each.nonfinite for each in summaries if content.metric in ("", each.name))


def aggregate_of(summary: Summary, aggregate: Aggregate) -> float | None:
    match aggregate:
        case "last":
            return summary.last
        case "min":
            return summary.low
        case "max":
            return summary.high
        case _:
            finite = summary.n - summary.nonfinite
            return summary.total / finite if finite > 0 else None


def best_of(summary: Summary, direction: Direction) -> tuple[float, float] | None:
    """The best value of a metric, and its step."""
    value, step = (summary.low, summary.low_step) if direction == "min" else (summary.high, summary.high_step)
    return None if value is None or step is None else (value, step)


def _named(summaries: Sequence[Summary], name: str) -> Summary | None:
    return next((each for each in summaries if each.name == name), None)
