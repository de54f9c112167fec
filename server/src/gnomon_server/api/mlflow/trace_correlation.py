"""The route that tells how strongly two filters of traces go together."""

from msgspec import UNSET

from gnomon_server.api.mlflow import trace_wire as wire
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.traces import wanted_traces
from gnomon_server.api.route import Call


@wire_route("POST", "/3.0/mlflow/traces/calculate-filter-correlation", needs="runs.read", asks=wire.CorrelateFilters)
def correlate_filters(call: Call[wire.CorrelateFilters, None]) -> wire.FiltersCorrelated:
    """Compare two filters of traces, among those that match a third."""
    body = call.body
    found = call.services.traces.correlate(
        call.principal,
        wanted_traces(body.filter_string1),
        wanted_traces(body.filter_string2),
        base=wanted_traces(body.base_filter),
        numbers=[number_of(one) for one in body.experiment_ids],
    )
    return wire.FiltersCorrelated(
        filter1_count=found.first,
        filter2_count=found.second,
        joint_count=found.both,
        total_count=found.total,
        npmi=UNSET if found.npmi is None else found.npmi,
        npmi_smoothed=UNSET if found.npmi_smoothed is None else found.npmi_smoothed,
    )


ROUTES = [correlate_filters]
