"""`gnomon quotas`: what the tenants of the server on this machine keep, and the most that they may keep."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gnomon.cli.session import json_option
from gnomon.cli.text import print_json, print_rest, print_table, size
from gnomon.wire import QuotaList, QuotaUse, TenantQuotas
from gnomon_server.api.native.quotas import quotas_response
from gnomon_server.commands.home import home_option, now_ms, opened_home
from gnomon_server.core.quota_limits import QuotaLimits
from gnomon_server.model.errors import GnomonError
from gnomon_server.model.quotas import QUOTAS, QuotaName

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


class Amount(click.ParamType[int]):
    """Text such as `1000`, `50M` or `200Gi`."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,16})([kMGT]i?|Ki|)", str(value))
        if found is None or found[2] not in _UNITS:
            self.fail(f"{value!r} is no amount; write it as 1000, 50M or 200Gi", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.group("quotas")
def command() -> None:
    """Say how much each tenant may keep. Without a limit it is as much as there is room for."""


@command.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="So many tenants.")
@click.option("--offset", default=0, type=click.IntRange(0), help="Skip so many tenants.")
@home_option
@json_option
def list_quotas(limit: int, offset: int, home: Path | None, as_json: bool) -> None:
    """Every tenant, what it keeps and what it may keep."""
    with _limits(home) as limits:
        total, found = limits.page(None, limit=limit, offset=offset)
    tenants = [quotas_response(each) for each in found]
    if as_json:
        print_json(QuotaList(tenants=tenants, total=total, limit=limit, offset=offset))
        return
    _print(tenants)
    print_rest(len(tenants), total, offset)


@command.command()
@click.argument("tenant")
@home_option
@json_option
def show(tenant: str, home: Path | None, as_json: bool) -> None:
    """What TENANT keeps and may keep."""
    with _limits(home) as limits:
        found = quotas_response(limits.get(None, tenant))
    _show(found, as_json)


@command.command("set")
@click.argument("tenant")
@click.option("--experiments", type=Amount(), metavar="N", help="At most so many experiments.")
@click.option("--runs", type=Amount(), metavar="N", help="At most so many runs, archived ones included.")
@click.option("--series", type=Amount(), metavar="N", help="At most so many metrics, each counted once a run.")
@click.option("--points", type=Amount(), metavar="N", help="At most so many points, of all series together.")
@click.option("--artifact-bytes", type=Amount(), metavar="N", help="At most so many bytes of artifacts.")
@home_option
@json_option
def set_quotas(
    tenant: str,
    experiments: int | None,
    runs: int | None,
    series: int | None,
    points: int | None,
    artifact_bytes: int | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Set limits of TENANT; those that are not named stay. A running server holds it to them within a second.

    An amount is a number, perhaps with k, M, G, T (powers of 1000) or Ki, Mi, Gi, Ti (of 1024).
    """
    asked: dict[QuotaName, int | None] = {
        "experiments": experiments,
        "runs": runs,
        "series": series,
        "points": points,
        "artifact_bytes": artifact_bytes,
    }
    changes = {name: limit for name, limit in asked.items() if limit is not None}
    if not changes:
        raise click.UsageError("name at least one limit, such as --points 50M")
    with _limits(home) as limits:
        found = quotas_response(limits.change(None, tenant, changes))
    _show(found, as_json)


@command.command()
@click.argument("tenant")
@click.argument("quota", nargs=-1, type=click.Choice(QUOTAS))
@home_option
@json_option
def clear(tenant: str, quota: tuple[QuotaName, ...], home: Path | None, as_json: bool) -> None:
    """Lift limits of TENANT: those named as QUOTA, or all of them."""
    with _limits(home) as limits:
        found = quotas_response(limits.change(None, tenant, dict.fromkeys(quota or QUOTAS)))
    _show(found, as_json)


@contextmanager
def _limits(home: Path | None) -> Iterator[QuotaLimits]:
    try:
        with opened_home(home) as opened:
            yield QuotaLimits(opened.database, opened.transact, now_ms=now_ms, on_change=lambda: None)
    except GnomonError as error:
        raise click.ClickException(error.detail) from None


def _show(found: TenantQuotas, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        _print([found])


def _print(tenants: list[TenantQuotas]) -> None:
    rows = [(each.tenant, *_line(quota)) for each in tenants for quota in each.quotas]
    print_table(("tenant", "quota", "used", "limit", ""), rows, right=("used", "limit", ""))


def _line(found: QuotaUse) -> tuple[str, str, str, str]:
    def said(amount: int) -> str:
        return size(amount) if found.quota == "artifact_bytes" else f"{amount:,}"

    if found.limit is None:
        return found.quota, said(found.used), "none", ""
    share = f"{100 * found.used / found.limit:.0f} %" if found.limit else "full"
    return found.quota, said(found.used), said(found.limit), share
