"""The native API, `/api/v1`: the domain in our own words."""

from litestar.handlers import HTTPRouteHandler

from gnomon_server.api.native import artifacts, batches, experiments, logging, metrics, runs, tables

ROUTES: list[HTTPRouteHandler] = [
    *experiments.ROUTES,
    *runs.ROUTES,
    *logging.ROUTES,
    *batches.ROUTES,
    *metrics.ROUTES,
    *tables.ROUTES,
    *artifacts.ROUTES,
]
