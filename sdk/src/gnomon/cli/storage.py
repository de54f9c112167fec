"""`gnomon storage`: what uses the server's disk."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import click
from msgspec import Struct

from gnomon.cli.pages import gather
from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import print_facts, print_json, print_rest, print_table, short_ids, size
from gnomon.client import Client
from gnomon.errors import ApiError
from gnomon.wire import (
    ExperimentStorage,
    InstallationStorage,
    MetricStorage,
    MetricStorageList,
    QuotaUse,
    RunStorage,
    StorageResponse,
    TenantQuotas,
)

T = TypeVar("T")


class Everything(Struct, frozen=True):
    """What `gnomon storage --json` prints. What the caller may not ask for is null."""

    installation: InstallationStorage | None
    quotas: list[TenantQuotas] | None
    experiments: list[ExperimentStorage] | None
    total: int


class OfExperiment(Struct, frozen=True):
    """`--experiment`."""

    experiment: StorageResponse
    runs: list[RunStorage]
    metrics: MetricStorageList


class OfRun(Struct, frozen=True):
    """`--run`."""

    run: RunStorage
    metrics: MetricStorageList


@click.command()
@click.option("-e", "--experiment", metavar="EXPERIMENT", help="Its runs and its metrics.")
@click.option("-r", "--run", metavar="RUN", help="Its metrics.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="So many of each.")
@json_option
@pass_session
def storage(session: Session, experiment: str | None, run: str | None, limit: int, as_json: bool) -> None:
    """What uses the disk: the server's files and its experiments, the runs of one, or the metrics of a run.

    What stands in an object store is counted too. Each tenant that you may see has a line with what it keeps of what
    its quotas allow. The largest come first. It is counted when you ask; many runs take a while.
    """
    if experiment is not None and run is not None:
        raise click.UsageError("give --experiment or --run, not both")
    asks = session.client.storage
    if run is not None:
        uid = session.run(run).id
        _tell_run(OfRun(asks.run(uid), asks.run_metrics(uid, limit=limit)), as_json)
    elif experiment is not None:
        uid = session.experiment(experiment).id
        whole = session.client.experiments.storage(uid)
        runs = asks.runs(uid, limit=limit).runs
        _tell_experiment(OfExperiment(whole, runs, asks.metrics(uid, limit=limit)), as_json)
    else:
        _tell_everything(_everything(session.client, limit), as_json)


def _everything(client: Client, limit: int) -> Everything:
    asks = client.storage

    def fetch(limit: int, offset: int) -> tuple[list[ExperimentStorage], int]:
        page = asks.experiments(limit=limit, offset=offset)
        return page.experiments, page.total

    found = _if_allowed(lambda: gather(fetch, limit=limit, offset=0))
    return Everything(
        _if_allowed(asks.installation),
        _if_allowed(lambda: client.quotas.list(limit=limit).tenants),
        None if found is None else found[0],
        0 if found is None else found[1],
    )


def _if_allowed(ask: Callable[[], T]) -> T | None:
    """What is answered; None where the caller's role may not ask: a platform key reads no tenant, others no files."""
    try:
        return ask()
    except ApiError as refusal:
        if refusal.status != 403:
            raise
        return None


def _tell_everything(found: Everything, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    files = found.installation
    if files is None:
        click.echo("the sizes of the server's files are for a platform key; these are your experiments", err=True)
    else:
        print_facts(
            {
                "database": size(files.database_bytes),
                "  points": size(files.points_bytes),
                "  rows and indexes": size(files.other_bytes),
                "  free for the next writes": size(files.free_bytes),
                "points moved to the object store": size(files.moved_bytes),
                "write-ahead log": size(files.wal_bytes),
                "set aside": size(files.reserve_bytes),
                "artifacts": size(files.content_bytes),
                "  in the object store": size(files.object_bytes),
                "  unused, waiting to go": size(files.unused_bytes),
                "uploads under way": size(files.upload_bytes),
                "disk": f"{size(files.disk_free_bytes)} free of {size(files.disk_bytes)}",
            }
        )
        click.echo()
    if found.quotas is not None:
        _print_quotas(found.quotas)
    if found.experiments is None:
        click.echo("a platform key reads no tenant: ask with a key of one for its experiments", err=True)
        return
    ids = short_ids([each.experiment_id for each in found.experiments])
    rows = [
        (uid, each.name, _stage(each.lifecycle_stage), f"{each.runs:,}", *_numbers(each))
        for uid, each in zip(ids, found.experiments, strict=True)
    ]
    print_table(("id", "experiment", "", "runs", *_NUMBERS), rows, right=("runs", *_NUMBERS))
    print_rest(len(rows), found.total, 0)


def _print_quotas(tenants: Sequence[TenantQuotas]) -> None:
    """A line a tenant: what it keeps, and of how much where that is limited."""
    if not tenants:
        return
    names = [each.quota for each in tenants[0].quotas]
    rows = [(tenant.tenant, *(_used(each) for each in tenant.quotas)) for tenant in tenants]
    print_table(("tenant", *(name.replace("_", " ") for name in names)), rows)
    click.echo()


def _used(quota: QuotaUse) -> str:
    say = size if quota.quota == "artifact_bytes" else "{:,}".format
    return say(quota.used) if quota.limit is None else f"{say(quota.used)} of {say(quota.limit)}"


def _tell_experiment(found: OfExperiment, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    whole = found.experiment
    print_facts({"runs": f"{whole.runs:,}", **dict(zip(_NUMBERS, _numbers(whole), strict=True))})
    click.echo()
    ids = short_ids([each.run_id for each in found.runs])
    rows = [
        (uid, each.name, _stage(each.lifecycle_stage), *_numbers(each))
        for uid, each in zip(ids, found.runs, strict=True)
    ]
    print_table(("id", "run", "", *_NUMBERS), rows, right=_NUMBERS)
    print_rest(len(rows), whole.runs, 0)
    click.echo()
    _print_metrics(found.metrics)


def _tell_run(found: OfRun, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_facts({"run": found.run.name, **dict(zip(_NUMBERS, _numbers(found.run), strict=True))})
    click.echo()
    _print_metrics(found.metrics)


def _print_metrics(found: MetricStorageList) -> None:
    rows = [_metric(each) for each in found.metrics]
    if found.unsealed_points:
        rows.append(("(not sealed yet)", "", f"{found.unsealed_points:,}", size(found.unsealed_bytes)))
    print_table(("metric", "runs", "points", "of points"), rows, right=("runs", "points", "of points"))
    print_rest(len(found.metrics), found.total, 0)


def _metric(each: MetricStorage) -> tuple[str, str, str, str]:
    return each.key, f"{each.runs:,}", f"{each.points:,}", size(each.points_bytes)


_NUMBERS: Sequence[str] = ("points", "of points", "files", "of files", "together")


def _numbers(each: StorageResponse | ExperimentStorage | RunStorage) -> tuple[str, ...]:
    return (
        f"{each.points:,}",
        size(each.points_bytes),
        f"{each.artifacts:,}",
        size(each.artifact_bytes),
        size(each.points_bytes + each.artifact_bytes),
    )


def _stage(stage: str) -> str:
    return "archived" if stage == "deleted" else ""
