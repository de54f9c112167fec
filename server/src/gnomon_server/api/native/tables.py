"""The routes that show an experiment's runs as tables: chosen columns, and groups with aggregates."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct, structs

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.native.runs import FilterText, OrderText
from gnomon_server.api.route import Call, route
from gnomon_server.api.times import iso_time
from gnomon_server.core.runs import RunSearch
from gnomon_server.model.errors import AccessDenied, ExperimentNotFound, InvalidRequest, invalid_field
from gnomon_server.model.filters import Column, parse_columns, parse_filter, parse_group_order, parse_order_by
from gnomon_server.model.filters.attributes import ATTRIBUTES

TAG = "tables"
READS = (InvalidRequest, AccessDenied, ExperimentNotFound)

ColumnText = Annotated[
    list[str], Meta(description="repeatable or comma-separated: metrics.loss.min,params.lr,tags.team,name")
]


class TableQuery(Struct, frozen=True):
    columns: ColumnText = []
    filter: FilterText = ""
    order_by: OrderText = []
    lifecycle_stage: wire.LifecycleStage = "active"
    limit: Limit = 100
    offset: Offset = 0


class GroupQuery(Struct, frozen=True):
    by: Annotated[
        list[str],
        Meta(description="repeatable or comma-separated: params.optimizer", extra_json_schema={"minItems": 1}),
    ]
    columns: ColumnText = []
    filter: FilterText = ""
    order_by: Annotated[list[str], Meta(description="n desc, a column of `by`, or mean(metrics.acc) desc")] = []
    lifecycle_stage: wire.LifecycleStage = "active"
    limit: Limit = 100
    offset: Offset = 0


@route(
    "GET",
    "/experiments/{experiment_id:str}/table",
    needs="runs.read",
    tag=TAG,
    tells_revision=True,
    query=TableQuery,
    gives=wire.TableResponse,
    raises=READS,
)
def get_table(call: Call[None, TableQuery]) -> wire.TableResponse:
    """Get a page of an experiment's runs as chosen columns.

    A column is a metric with an aggregate (`last`, `min`, `max`, `mean`, `first`, `n`), a param, a tag or an attribute.
    """
    asked = call.query
    columns = parse_columns(",".join(asked.columns), field="columns")
    order = parse_order_by(asked.order_by)
    wanted = _search(call, asked)
    page = call.services.tables.page(call.principal, structs.replace(wanted, order=order), columns)
    return wire.TableResponse(
        total=page.total,
        limit=asked.limit,
        offset=asked.offset,
        run_ids=list(page.runs),
        columns={column.text: _wire_cells(column, page.columns[column.text]) for column in columns},
    )


@route(
    "GET",
    "/experiments/{experiment_id:str}/groups",
    needs="runs.read",
    tag=TAG,
    tells_revision=True,
    query=GroupQuery,
    gives=wire.GroupsResponse,
    raises=READS,
)
def get_groups(call: Call[None, GroupQuery]) -> wire.GroupsResponse:
    """Get an experiment's runs in groups, with mean, spread, extremes and count of each column over the group."""
    asked = call.query
    by = parse_columns(",".join(asked.by), field="by")
    if not by:
        raise invalid_field("by", "names no column; give for example by=params.optimizer")
    aggregate = parse_columns(",".join(asked.columns), field="columns")
    order = parse_group_order(",".join(asked.order_by), by=by, aggregate=aggregate)
    total, groups = call.services.tables.groups(
        call.principal, _search(call, asked), by=by, aggregate=aggregate, order=order
    )
    return wire.GroupsResponse(
        groups=[
            wire.GroupRow(
                values=dict(group.values),
                n=group.n,
                aggregates={
                    column: {str(name): _wire_number(value) for name, value in numbers.items()}
                    for column, numbers in group.aggregates.items()
                },
            )
            for group in groups
        ],
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )


def _search(call: Call[None, TableQuery] | Call[None, GroupQuery], asked: TableQuery | GroupQuery) -> RunSearch:
    return RunSearch(
        experiments=[call.path("experiment_id")],
        lifecycle_stage=asked.lifecycle_stage,
        filter=parse_filter(asked.filter, now_ms=call.services.now_ms()),
        limit=asked.limit,
        offset=asked.offset,
    )


def _wire_cells(column: Column, cells: Sequence[str | float | int | None]) -> list[str | wire.Number | None]:
    if column.kind == "attribute" and ATTRIBUTES[column.key].kind == "time":
        return [None if cell is None else iso_time(int(cell)) for cell in cells]
    return [wire.to_wire(cell) if isinstance(cell, float) else cell for cell in cells]


def _wire_number(value: float | None) -> wire.Number | None:
    return None if value is None else wire.to_wire(value)


ROUTES = [get_table, get_groups]
