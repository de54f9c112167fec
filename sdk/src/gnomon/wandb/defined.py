"""`define_metric`: what a script says of its metrics, and the summary that follows from it."""

from gnomon.wandb.absent import say_once
from gnomon.wandb.watched import Summary

_KNOWN = ("min", "max", "mean", "best", "last", "first", "copy", "none")
_LESS_IS_BEST = "minimize"


class Metric:
    """What `define_metric` gives. `name` may end in `*`."""

    def __init__(self, name: str, step_metric: str | None, summary: str | None, goal: str | None) -> None:
        self.name = name
        self.step_metric = step_metric
        self.summary = summary
        self.goal = goal

    def noted(self) -> dict[str, str]:
        """What of it is worth a tag."""
        said = {"step_metric": self.step_metric, "metric_summary": self.summary, "metric_goal": self.goal}
        return {what: value for what, value in said.items() if value}

    def is_for(self, key: str) -> bool:
        return key.startswith(self.name[:-1]) if self.name.endswith("*") else key == self.name


class _Folded:
    """What was seen of one metric."""

    def __init__(self, first: object, plain: float) -> None:
        self.first = first
        self.low = self.high = (plain, first)
        self.total = 0.0
        self.count = 0

    def take(self, value: object, plain: float) -> None:
        self.low = min(self.low, (plain, value), key=lambda pair: pair[0])
        self.high = max(self.high, (plain, value), key=lambda pair: pair[0])
        self.total += plain
        self.count += 1

    def shown(self, what: str, value: object, goal: str | None) -> object:
        if what == "best":
            what = "min" if goal == _LESS_IS_BEST else "max"
        found = {"min": self.low[1], "max": self.high[1], "mean": self.total / self.count, "first": self.first}
        return found.get(what, value)


class Defined:
    """The metrics of a run that were defined. A key that says more counts before a pattern."""

    def __init__(self) -> None:
        self._metrics: list[Metric] = []
        self._folded: dict[str, _Folded] = {}

    def add(self, name: str, step_metric: str | None, summary: str | None, goal: str | None) -> Metric:
        for each in (summary or "").split(","):
            if each and each not in _KNOWN:
                say_once(f"summary {each!r} of a metric", f"there are {', '.join(_KNOWN)}")
        metric = Metric(name, step_metric, summary, goal)
        self._metrics.append(metric)
        self._metrics.sort(key=lambda each: (each.name.endswith("*"), -len(each.name)))
        return metric

    def summarise(self, into: Summary, key: str, value: object, plain: float) -> None:
        """The summary after one more value: the value itself, or what was asked for, such as `{"min": 0.1}`."""
        asked = next((each for each in self._metrics if each.summary and each.is_for(key)), None)
        if asked is None or asked.summary is None:
            into.remember(key, value)
            return
        wanted = [each for each in asked.summary.split(",") if each in _KNOWN]
        if "none" in wanted or not wanted:
            return
        if plain == plain:  # NaN is neither the least nor the greatest
            folded = self._folded.setdefault(key, _Folded(value, plain))
            folded.take(value, plain)
            into.remember(key, {each: folded.shown(each, value, asked.goal) for each in wanted})
