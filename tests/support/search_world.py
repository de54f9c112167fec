"""A small tenant of random runs, twice: as plain records for the evaluator and as rows in a real database."""

import math
import random

import sqlalchemy as sa

from gnomon_server.model.filters.ast import Aggregate
from gnomon_server.model.filters.evaluate import Param, RunRecord
from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.doors import Database
from tests.support.places import Place

TENANT = TenantId(1)
START_MS = 1_700_000_000_000
STATUSES = ("running", "scheduled", "finished", "failed", "killed")
TEXTS = (
    "adam",
    "Adam",
    "ADAMW",
    "sgd",
    "a%b",
    "a_b",
    "axb",
    "",
    "ris",
    "rising",
    "Rising é",
    "É",
    "é",
    "0.10",
    "x\ny",
    "[a]*?",
    "\\",
    "ris\U0010ffff",
)
NUMBERS = ("0.1", "1e-1", "3", "-2.5", "1e300", "100")
VALUES = (0.0, 0.1, 0.3, -2.5, 3.0, 1e300, math.inf, -math.inf, math.nan)
METRICS = ("loss", "acc", "val/acc", "a.max", "a b")
KEYS = ("opt", "lr", "team", "a.b", "a b")


class World:
    """`records` are the runs by row; their attributes hold the `experiment` row besides what the language names."""

    def __init__(self, database: Database, records: tuple[RunRecord, ...]) -> None:
        self.database = database
        self.records = records

    def __repr__(self) -> str:
        # Hypothesis prints its arguments; thousands of values would drown what failed.
        return f"<world of {len(self.records)} runs>"


def make_world(place: Place, *, seed: int, runs: int, experiments: int = 2) -> World:
    """A database of one tenant with these runs, and of another tenant whose runs must never be seen."""
    chance = random.Random(seed)
    with place.past_wall().begin() as connection:
        for tenant in (1, 2):
            connection.execute(t.tenant_base.insert(), {"id": tenant, "name": f"t{tenant}", "created_ms": 0})
            records = _fill(connection, tenant, chance, runs, experiments)
            if tenant == TENANT:
                kept = records
    return World(place.open(), tuple(kept))


def _fill(
    connection: sa.Connection, tenant: int, chance: random.Random, runs: int, experiments: int
) -> list[RunRecord]:
    keys = {name: number for number, name in enumerate((*METRICS, *KEYS), start=tenant)}
    rows = [{"tenant": tenant, "id": key, "name": name, "context": ""} for name, key in keys.items()]
    # The same names as series of one rank: never what a plain name means.
    rows += [{"tenant": tenant, "id": 100 + key, "name": name, "context": "rank=1"} for name, key in keys.items()]
    connection.execute(t.key_base.insert(), rows)
    for number in range(1, experiments + 1):
        connection.execute(
            t.experiment_base.insert(),
            {
                "tenant": tenant, "id": number, "uid": _uid(tenant, 1000 + number), "number": number,
                "name": f"e{number}", "description": "", "artifact_location": f"file:///a/{number}",
                "lifecycle_stage": "active", "run_count": 0, "created_ms": 0, "updated_ms": 0,
            },
        )  # fmt: skip
    records = [_run(connection, tenant, row, chance, experiments, keys) for row in range(1, runs + 1)]
    run, experiment = t.run_base.c, t.experiment_base.c
    active = sa.select(sa.func.count()).where(
        run.tenant == tenant, run.experiment == experiment.id, run.lifecycle_stage == "active"
    )
    connection.execute(
        t.experiment_base.update().where(experiment.tenant == tenant).values(run_count=active.scalar_subquery())
    )
    return records


def _run(
    connection: sa.Connection, tenant: int, row: int, chance: random.Random, experiments: int, keys: dict[str, int]
) -> RunRecord:
    experiment = chance.randint(1, experiments)
    start = START_MS + chance.randrange(5) * 60_000
    end = chance.choice((None, start, start + 90_000, start + chance.randrange(10**6), start - 5))
    run = {
        "tenant": tenant, "id": row, "uid": _uid(tenant, row), "experiment": experiment,
        "name": f"{chance.choice(TEXTS)}{chance.choice(('', '-1'))}", "description": chance.choice(TEXTS),
        "status": chance.choice(STATUSES), "lifecycle_stage": chance.choice(("active", "active", "active", "deleted")),
        "archived_with": None, "start_ms": start, "end_ms": end, "created_by": chance.choice(("alice", "bob")),
        "created_ms": start + 1, "updated_ms": start + chance.randrange(100),
    }  # fmt: skip
    connection.execute(t.run_base.insert(), run)
    own = {"tenant": tenant, "run": row, "experiment": experiment}
    params = {name: _param(chance.choice(TEXTS + NUMBERS * 3)) for name in KEYS if chance.random() < 0.7}
    tags = {name: chance.choice(TEXTS) for name in KEYS if chance.random() < 0.7}
    for name, param in params.items():
        stored = {"key": keys[name], "value": param.text, "number": param.number}
        connection.execute(t.param_base.insert(), own | stored)
    for name, text in tags.items():
        connection.execute(t.tag_base.insert(), own | {"key": keys[name], "value": text})
    metrics = {name: _series(connection, own, keys[name], chance) for name in METRICS if chance.random() < 0.7}
    _series(connection, own, 100 + keys["loss"], chance)
    attributes = {
        "id": run["uid"], "name": run["name"], "description": run["description"], "status": run["status"],
        "lifecycle_stage": run["lifecycle_stage"], "start_time": start, "end_time": end,
        "duration": None if end is None else max(end - start, 0), "created_by": run["created_by"],
        "created_at": run["created_ms"], "last_updated": run["updated_ms"],
        "experiment_id": _uid(tenant, 1000 + experiment),
        "artifact_uri": f"file:///a/{experiment}/{run['uid']}/artifacts",
        "experiment": experiment,
    }  # fmt: skip
    return RunRecord(row, attributes, params, tags, metrics)


def _series(
    connection: sa.Connection, own: dict[str, int], key: int, chance: random.Random
) -> dict[Aggregate, float | None]:
    """A series of a few points, and its aggregates as the summaries define them."""
    values = [chance.choice(VALUES) for _ in range(chance.randint(1, 4))]
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (None, None)
    total = math.fsum(finite)
    connection.execute(
        t.series_base.insert(),
        own | {
            "key": key, "n": len(values), "nonfinite": len(values) - len(finite), "first_step": 0.0,
            "first_value": _stored(values[0]), "last_step": 1.0, "last_ms": 0, "last_value": _stored(values[-1]),
            "low": low, "low_step": None, "high": high, "high_step": None, "total": total, "late": 0,
        },
    )  # fmt: skip
    mean = total / len(finite) if finite else None
    return {"last": values[-1], "first": values[0], "min": low, "max": high, "mean": mean, "n": float(len(values))}


def _stored(value: float) -> float | None:
    return None if math.isnan(value) else value


def _param(text: str) -> Param:
    return Param(text, float(text) if text and text[0] in "-0123456789" else None)


def _uid(tenant: int, number: int) -> str:
    return f"{tenant:08x}{number:024x}"
