"""What SQLite lacks and run search needs, registered on each connection by `engine.py`.

- `gnomon_regexp(pattern, value)`: 1 where the pattern (RE2 syntax, linear time) is found in the value. PostgreSQL has
  no such function: there `search_values.py` decides on the distinct values in Python, with the same matcher.
- `stddev_samp(x)`: the sample standard deviation, as PostgreSQL computes it; NULL below two values.

Both are pure functions of their arguments. Patterns were checked when the filter was parsed, so none fails here.
"""

from typing import Protocol

from gnomon_server.model.filters.patterns import Matcher, matcher


class SqliteFunctions(Protocol):
    """What is needed of a DBAPI connection to give it functions."""

    def create_function(self, name: str, narg: int, func: object, /, *, deterministic: bool = ...) -> None: ...
    def create_aggregate(self, name: str, n_arg: int, aggregate_class: type, /) -> None: ...


def register_functions(dbapi_connection: SqliteFunctions) -> None:
    """Give one SQLite connection the functions that the store's SQL names."""
    dbapi_connection.create_function("gnomon_regexp", 2, Regexp(), deterministic=True)
    dbapi_connection.create_aggregate("stddev_samp", 1, SampleDeviation)


class Regexp:
    """`gnomon_regexp` of one connection. Index walks bring equal values together, so the last answer is kept."""

    def __init__(self) -> None:
        self._pattern: str | None = None
        self._matches: Matcher | None = None
        self._value: str | None = None
        self._answer = 0

    def __call__(self, pattern: str, value: str | None) -> int | None:
        if value is None:
            return None
        if pattern != self._pattern or self._matches is None:
            self._pattern, self._matches, self._value = pattern, matcher(pattern), None
        if value != self._value:
            self._value, self._answer = value, int(self._matches(value))
        return self._answer


class SampleDeviation:
    """Welford's running variance: exact enough where a sum of squares would cancel."""

    def __init__(self) -> None:
        self._n = 0
        self._mean = 0.0
        self._squares = 0.0

    def step(self, value: float | None) -> None:
        if value is None:
            return
        self._n += 1
        delta = value - self._mean
        self._mean += delta / self._n
        self._squares += delta * (value - self._mean)

    def finalize(self) -> float | None:
        return None if self._n < 2 else float((self._squares / (self._n - 1)) ** 0.5)
