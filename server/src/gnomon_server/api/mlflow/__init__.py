"""MLflow's tracking protocol over the same core: a second dialect, which decides nothing by itself.

What MLflow's clients log is seen by the native API and the web UI, and the other way round. docs/guides/mlflow.md says
which of its endpoints are served, and where an answer differs from MLflow's own server.
"""

from litestar.handlers import HTTPRouteHandler

from gnomon_server.api.mlflow import (
    absent,
    artifacts,
    assessments,
    direct,
    experiments,
    graphql,
    links,
    logging,
    metrics,
    model_search,
    models,
    otlp,
    registry,
    runs,
    system,
    trace_correlation,
    traces,
    traces_v2,
    webhooks,
)

ROUTES: list[HTTPRouteHandler] = [
    *experiments.ROUTES,
    *runs.ROUTES,
    *logging.ROUTES,
    *metrics.ROUTES,
    *artifacts.ROUTES,
    *direct.ROUTES,
    *links.ROUTES,
    *models.ROUTES,
    *model_search.ROUTES,
    *registry.ROUTES,
    *traces.ROUTES,
    *traces_v2.ROUTES,
    *trace_correlation.ROUTES,
    *assessments.ROUTES,
    *otlp.ROUTES,
    *webhooks.ROUTES,
    *graphql.ROUTES,
    *system.ROUTES,
]
INGEST = logging.INGEST
PATHS = absent.PATHS
answer_unserved = absent.answer_unserved
say_refusal = absent.say_refusal
