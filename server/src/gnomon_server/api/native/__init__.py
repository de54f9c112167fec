"""The native API, `/api/v1`: the domain in our own words."""

from litestar.handlers import HTTPRouteHandler

from gnomon_server.api.ingest import IngestRoute
from gnomon_server.api.native import (
    artifacts,
    batches,
    experiments,
    keys,
    live,
    logging,
    metrics,
    quotas,
    retention,
    rules,
    runs,
    sign_in,
    storage,
    tables,
    traces,
    uploads,
    views,
    webhooks,
)

INGEST: list[IngestRoute] = [*logging.INGEST, *batches.INGEST]

ROUTES: list[HTTPRouteHandler] = [
    *experiments.ROUTES,
    *runs.ROUTES,
    *(each.handler for each in INGEST),
    *metrics.ROUTES,
    *tables.ROUTES,
    *artifacts.ROUTES,
    *uploads.ROUTES,
    *live.ROUTES,
    *traces.ROUTES,
    *views.ROUTES,
    *storage.ROUTES,
    *retention.ROUTES,
    *quotas.ROUTES,
    *keys.ROUTES,
    *sign_in.ROUTES,
    *webhooks.ROUTES,
    *rules.ROUTES,
]
