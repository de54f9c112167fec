"""U+0000 in any text of a request: refused in words, by both protocols, whichever database keeps the text.

PostgreSQL cannot keep it and SQLite would cut the text there, so no route may let it through (`model/names.py`).
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.server_process import ServerProcess
from tests.support.tenant_rows import MLFLOW, NATIVE, Row
from tests.support.tenant_world import World, ask, make_world

NUL = "a\x00b"
Place = tuple[str | int, ...]


def _texts(tree: Any, place: Place = ()) -> Iterator[Place]:
    """The places of all texts in a body."""
    if isinstance(tree, str):
        yield place
    elif isinstance(tree, dict):
        for name, below in tree.items():
            yield from _texts(below, (*place, name))
    elif isinstance(tree, list):
        for nth, below in enumerate(tree):
            yield from _texts(below, (*place, nth))


def _with_nul(tree: Any, place: Place) -> Any:
    if not place:
        return NUL
    changed = copy.deepcopy(tree)
    at = changed
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = NUL
    return changed


def _variants(row: Row) -> Iterator[tuple[str, Row]]:
    for place in _texts(row.body):
        yield f"body {place}", replace(row, body=_with_nul(row.body, place))
    for place in _texts(row.query):
        yield f"query {place}", replace(row, query=_with_nul(row.query, place))


@pytest.fixture(scope="module")
def world(server: ServerProcess) -> Iterator[World]:
    made = make_world(server, "nul")
    yield made
    made.client.close()


CASES = [
    pytest.param(prefix, where, variant, id=f"{row} {where}")
    for prefix, rows in (("/api/v1", NATIVE), ("", MLFLOW))
    for row in rows
    for where, variant in _variants(row)
]


@pytest.mark.parametrize(("prefix", "where", "row"), CASES)
def test_a_text_with_nul_is_refused(world: World, prefix: str, where: str, row: Row) -> None:
    answer = ask(world, row, world.ids, prefix=prefix)
    assert 400 <= answer.status_code < 500, f"{where}: {answer.status_code} {answer.text[:300]}"
