"""Beginning a run, inside a transaction: on request, or because the first batch of a run asks for it.

Invariants: a run id belongs to one tenant for ever; a run begins in an active experiment; the experiment's count of
runs moves with it.
"""

import random
from collections.abc import Callable

from gnomon_server.core.access import artifact_location_of
from gnomon_server.core.quotas import Quotas
from gnomon_server.core.run_names import run_name
from gnomon_server.model.batches import NewRun
from gnomon_server.model.entities import Experiment, RunHead
from gnomon_server.model.errors import (
    AccessDenied,
    ExperimentArchived,
    ExperimentNotFound,
    GnomonError,
    NotFound,
    invalid_field,
)
from gnomon_server.model.ids import TenantId, is_uid, new_uid
from gnomon_server.store import Connection
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import runs as sql

Missing = Callable[[str], GnomonError]


def begin_run(
    tx: Connection,
    tenant: TenantId,
    experiment: Experiment,
    *,
    uid: str,
    name: str | None,
    description: str,
    start_ms: int,
    created_by: str,
    now_ms: int,
    rng: random.Random,
    quotas: Quotas,
) -> RunHead:
    """A new run of an active experiment; without a name it gets a readable one."""
    if experiment.lifecycle_stage != "active":
        raise ExperimentArchived(experiment.uid)
    quotas.admit(tx, tenant, "runs", 1)
    row = sql.insert_run(
        tx,
        tenant,
        uid=uid,
        experiment=experiment.row,
        name=name or run_name(experiment.run_count + 1, rng=rng),
        description=description,
        start_ms=start_ms,
        created_by=created_by,
        now_ms=now_ms,
    )
    experiment_sql.add_runs(tx, tenant, experiment.row, 1)
    return RunHead(row=row, experiment=experiment.row, lifecycle_stage="active")


def begin_asked(
    tx: Connection,
    tenant: TenantId,
    uid: str,
    new: NewRun,
    *,
    missing_run: Missing,
    now_ms: int,
    rng: random.Random,
    quotas: Quotas,
) -> RunHead:
    """The run that a batch asks for, without its tags."""
    refuse_foreign_id(uid, missing_run=missing_run, field="run_id")
    return begin_run(
        tx,
        tenant,
        _experiment(tx, tenant, new, now_ms=now_ms, quotas=quotas),
        uid=uid,
        name=new.name,
        description=new.description,
        start_ms=now_ms if new.start_ms is None else new.start_ms,
        created_by=new.created_by,
        now_ms=now_ms,
        rng=rng,
        quotas=quotas,
    )


def refuse_foreign_id(uid: str, *, missing_run: Missing, field: str) -> None:
    """An id that a client made: of the right form, and no other tenant's."""
    if not is_uid(uid):
        raise invalid_field(field, "is no run id; make one of 32 lower-case hex digits, a UUIDv7")
    missing = missing_run(uid)
    if not isinstance(missing, NotFound):
        raise missing


def _experiment(tx: Connection, tenant: TenantId, new: NewRun, *, now_ms: int, quotas: Quotas) -> Experiment:
    if not new.is_by_name:
        found = experiment_sql.find_experiment(tx, new.experiment)
        if found is None:
            raise ExperimentNotFound(new.experiment)
        return found
    found = experiment_sql.find_experiment_named(tx, new.experiment)
    if found is not None:
        return found
    if not new.may_make_experiment:
        raise AccessDenied(
            f"there is no experiment {new.experiment!r}, and this key may not make one", code="role_required"
        )
    quotas.admit(tx, tenant, "experiments", 1)
    uid = new_uid()
    experiment_sql.insert_experiment(
        tx,
        tenant,
        uid=uid,
        name=new.experiment,
        description="",
        artifact_location=artifact_location_of(uid),
        now_ms=now_ms,
    )
    made = experiment_sql.find_experiment(tx, uid)
    assert made is not None, "written in this transaction"
    return made
