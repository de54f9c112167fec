"""The routes that read points: full histories (JSON by page; Arrow and CSV whole), and reduced series for charts."""

from typing import Annotated

from litestar import Response
from litestar.response import Stream
from msgspec import Meta, Struct

from gnomon import wire
from gnomon_server.api import tabular
from gnomon_server.api.accept import chosen_media
from gnomon_server.api.native.convert import reduced_series, series_points
from gnomon_server.api.native.frames import GNM1, encode_frame
from gnomon_server.api.native.paging import Offset
from gnomon_server.api.route import Call, encode_json, json_answer, route
from gnomon_server.model.errors import AccessDenied, InvalidRequest, RunNotFound, invalid_field

TAG = "metrics"
READS = (InvalidRequest, AccessDenied, RunNotFound)
JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
MAX_KEYS = 1_000
MAX_BUCKETS = 5_000


class HistoryQuery(Struct, frozen=True):
    key: Annotated[
        list[str],
        Meta(description="repeatable; absent means all metrics of the run", extra_json_schema={"maxItems": MAX_KEYS}),
    ] = []
    limit: Annotated[int, Meta(ge=1, le=100_000, description="at most so many points a key")] = 10_000
    offset: Offset = 0


@route(
    "GET",
    "/experiments/runs/{run_id:str}/history",
    needs="runs.get",
    tag=TAG,
    query=HistoryQuery,
    gives=wire.HistoryResponse,
    media={ARROW: "the whole history as an Arrow stream", CSV: "the whole history as CSV"},
    headers={"Vary": "Accept"},
    raises=READS,
)
def get_history(call: Call[None, HistoryQuery]) -> Response[bytes] | Stream:
    """Get every point of a run's metrics, ordered by step, then arrival.

    JSON answers a page of each key. `Accept: application/vnd.apache.arrow.stream` or `text/csv` answers the whole of
    it as a stream; `limit` and `offset` do not apply there.
    """
    asked, run = call.query, call.path("run_id")
    if len(asked.key) > MAX_KEYS:
        raise invalid_field("key", f"is given {len(asked.key)} times; at most {MAX_KEYS}")
    media = chosen_media(call.request.headers.get("accept", ""), (JSON, ARROW, CSV))
    if media != JSON:
        return _stream(call, tabular.arrow_stream if media == ARROW else tabular.csv_stream, media_type=media)
    keys = list(dict.fromkeys(asked.key))
    pages = call.services.metrics.history(call.principal, run, keys, limit=asked.limit, offset=asked.offset)
    return json_answer(
        wire.HistoryResponse(
            run_id=run, series=[series_points(page) for page in pages], limit=asked.limit, offset=asked.offset
        ),
        headers={"Vary": "Accept"},
    )


def _stream(call: Call[None, HistoryQuery], encode: tabular.Encoder, *, media_type: str) -> Stream:
    run = call.path("run_id")
    call.services.runs.get(call.principal, run)  # an unknown run is an answer, not a broken stream
    points = call.services.metrics.stream(call.principal, run, list(dict.fromkeys(call.query.key)))
    return Stream(encode(points), media_type=media_type, headers={"Vary": "Accept"})


@route(
    "POST",
    "/experiments/runs/series",
    needs="runs.read",
    tag=TAG,
    body=wire.SeriesRequest,
    gives=wire.SeriesResponse,
    media={GNM1: "the same as one binary frame, see docs/formats/gnm1.md"},
    headers={"Vary": "Accept"},
    raises=READS,
)
def reduce_series(call: Call[wire.SeriesRequest, None]) -> Response[bytes]:
    """Get many series of many runs, each reduced to at most `buckets` points, computed from all of its points.

    `x` is `step`, `time` (Unix ms), `relative` (ms since the run's start) or the name of a metric. All series share
    one grid of buckets over `range`, or over the extent of all of them. Non-finite values are counted, never averaged.
    `Accept: application/vnd.gnomon.series` answers a binary frame instead of JSON.
    """
    body = call.body
    if not 1 <= body.buckets <= MAX_BUCKETS:
        raise invalid_field("buckets", f"is {body.buckets}; give 1 to {MAX_BUCKETS}")
    if body.range is not None and not body.range[0] <= body.range[1]:
        raise invalid_field("range", "is upside down; give [low, high]")
    found = call.services.metrics.series(
        call.principal, body.run_ids, body.keys, x=body.x, buckets=body.buckets, x_range=body.range
    )
    if chosen_media(call.request.headers.get("accept", ""), (JSON, GNM1)) == GNM1:
        frame = encode_frame(found, keys=body.keys, x=body.x, x_range=body.range, buckets=body.buckets)
        return Response(content=frame, media_type=GNM1, headers={"Vary": "Accept"})
    # One series at a time: as Python floats, all of them at once would take ten times the memory of the answer.
    series = b",".join(encode_json(reduced_series(one)) for one in found)
    return Response(content=b'{"series":[%b]}' % series, media_type="application/json", headers={"Vary": "Accept"})


ROUTES = [get_history, reduce_series]
