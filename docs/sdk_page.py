"""The reference page of the SDK, from its signatures and docstrings."""

import inspect
from collections.abc import Iterator
from typing import Any

import gnomon
from gnomon import begin
from gnomon.client import Client
from gnomon.client.frames import ExperimentReader, Frame, RunReader
from gnomon.run import Run

_ROOMS = (
    "experiments",
    "runs",
    "metrics",
    "artifacts",
    "uploads",
    "views",
    "traces",
    "live",
    "access",
    "storage",
    "retention",
    "webhooks",
    "rules",
)

# What one module of the package calls of another, and nobody else.
_FOR_OURSELVES = frozenset(("attach", "end_with_process", "forget_parent", "header", "sample", "settings"))


def sdk_page() -> str:
    rows = ["# The Python package", "", "`import gnomon`. How to use it: [logging](../guides/logging.md), and"]
    rows += ["[the client](../guides/python-client.md).", "", "## In a training script", ""]
    for function in (begin.init, begin.active_run):
        rows += _entry(f"gnomon.{function.__name__}", function)
    rows += _methods("run", Run)
    rows += ["## Frames", "", "`client.experiment(…)` gives an experiment, `client.run(…)` a run.", ""]
    for name, kind in (("experiment", ExperimentReader), ("run", RunReader), ("frame", Frame)):
        rows += _methods(name, kind)
    rows += ["## Every endpoint", ""]
    client = Client("http://127.0.0.1:1")
    for room in _ROOMS:
        rows += _methods(f"client.{room}", type(getattr(client, room)))
    client.close()
    rows += ["## Exceptions", "", "```", *(inspect.getdoc(inspect.getmodule(gnomon.GnomonError)) or "").split("\n")[2:]]
    return "\n".join([*rows, "```", ""])


def _methods(name: str, kind: type[object]) -> list[str]:
    return [row for method, found in _public(kind) for row in _entry(f"{name}.{method}", found)]


def _public(kind: type[object]) -> Iterator[tuple[str, Any]]:
    """Methods and properties with a docstring, in the order in which they stand in the code, inherited ones too."""
    for owner in kind.__mro__:
        for name, found in vars(owner).items():
            is_method = inspect.isfunction(found) or isinstance(found, property)
            if is_method and found.__doc__ and not name.startswith("_") and name not in _FOR_OURSELVES:
                yield name, found


def _entry(name: str, found: Any) -> list[str]:
    text = inspect.cleandoc(found.__doc__)
    if isinstance(found, property):
        return [f"### `{name}`", "", text, ""]
    parameters = [
        each.replace(annotation=inspect.Parameter.empty)
        for each in inspect.signature(inspect.unwrap(found)).parameters.values()
        if each.name != "self"
    ]
    return [f"### `{name}{inspect.Signature(parameters)}`", "", text, ""]
