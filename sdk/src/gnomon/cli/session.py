"""What every command shares: the client, and finding what a person named by id, beginning of an id, or name."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import click

from gnomon.client import Client
from gnomon.client.records import Run
from gnomon.errors import GnomonError
from gnomon.query import quoted
from gnomon.wire import ExperimentResponse

F = TypeVar("F", bound=Callable[..., object])

_FULL_ID = re.compile(r"[0-9a-f]{32}")
_ID_BEGINNING = re.compile(r"[0-9a-f]{4,31}")
# So many are named when a reference fits several; enough to see what to type instead.
_CANDIDATES_SHOWN = 3


class Session:
    """One invocation of the command line."""

    def __init__(self, *, url: str | None, tenant: str | None, api_key: str | None) -> None:
        self.url = url
        self.tenant = tenant
        self._api_key = api_key

    @cached_property
    def client(self) -> Client:
        return Client(self.url, tenant=self.tenant, api_key=self._api_key)

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def experiment(self, reference: str) -> ExperimentResponse:
        """The experiment of this id, name, or beginning of an id; archived ones too."""
        if _FULL_ID.fullmatch(reference):
            return self.client.experiments.get(reference)
        if (named := self.client.experiments.find(reference)) is not None:
            return named
        fitting: list[ExperimentResponse] = []
        if _ID_BEGINNING.fullmatch(reference):
            every = [*self.client.experiments.iterate(), *self.client.experiments.iterate(lifecycle_stage="deleted")]
            fitting = [experiment for experiment in every if experiment.id.startswith(reference)]
        if not fitting:
            raise GnomonError(f"no experiment is called {reference!r}; see `gnomon experiments list`")
        if len(fitting) > 1:
            raise _ambiguous("experiments", reference, [(each.id, each.name) for each in fitting])
        return fitting[0]

    def run(self, reference: str) -> Run:
        """The run of this id, name, or beginning of an id; archived ones too."""
        if _FULL_ID.fullmatch(reference):
            return self.client.runs.get(reference)
        fitting = self._runs(f"name = {quoted(reference)}")
        if not fitting and _ID_BEGINNING.fullmatch(reference):
            fitting = self._runs(f"run_id like {quoted(reference + '%')}")
        if not fitting:
            raise GnomonError(f"no run is called {reference!r}; see `gnomon runs list`")
        if len(fitting) > 1:
            raise _ambiguous("runs", reference, [(each.id, each.name) for each in fitting])
        return fitting[0]

    def _runs(self, filter: str) -> list[Run]:
        runs = self.client.runs
        limit = _CANDIDATES_SHOWN + 1
        return [
            *runs.list(filter=filter, limit=limit),
            *runs.list(filter=filter, limit=limit, lifecycle_stage="deleted"),
        ]


pass_session = click.make_pass_decorator(Session)


def json_option(command: F) -> F:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for machines.")(command)


def pairs(texts: Sequence[str], *, option: str) -> dict[str, str]:
    """`key=value` arguments; the first `=` divides."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{option} wants KEY=VALUE, not {text!r}")
        found[key] = value
    return found


def _ambiguous(what: str, reference: str, candidates: Sequence[tuple[str, str]]) -> GnomonError:
    shown = ", ".join(f"{uid} ({name})" for uid, name in candidates[:_CANDIDATES_SHOWN])
    more = ", …" if len(candidates) > _CANDIDATES_SHOWN else ""
    return GnomonError(f"several {what} fit {reference!r}: {shown}{more}; give the id of one")
