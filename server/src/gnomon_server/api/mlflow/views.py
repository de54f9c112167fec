"""MLflow's closed sets: which lifecycle stages a search shows, and the states of a run."""

from collections.abc import Mapping
from typing import cast

from gnomon_server.api.mlflow.reading import word_of
from gnomon_server.api.mlflow.wire import Enum
from gnomon_server.model.entities import LifecycleStage, RunStatus

_VIEWS: Mapping[str, int] = {"ACTIVE_ONLY": 1, "DELETED_ONLY": 2, "ALL": 3}
_STAGES: Mapping[str, LifecycleStage | None] = {"ACTIVE_ONLY": "active", "DELETED_ONLY": "deleted", "ALL": None}
_STATUSES: Mapping[str, int] = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}


def stage_of(view: Enum, *, field: str) -> LifecycleStage | None:
    """The stage that a view shows; None is both."""
    return _STAGES[word_of(view, _VIEWS, field=field)]


def status_of(status: Enum) -> RunStatus:
    return cast("RunStatus", word_of(status, _STATUSES, field="status").lower())  # the words are the same
