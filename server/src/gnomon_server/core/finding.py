"""Looking up what a request names, inside its transaction: found, or the error that the caller may see."""

from gnomon_server.core.access import Access
from gnomon_server.model.entities import Experiment
from gnomon_server.model.errors import ExperimentArchived
from gnomon_server.store import Connection
from gnomon_server.store.meta import experiments as sql


def find_experiment(access: Access, connection: Connection, uid: str) -> Experiment:
    """An experiment of the tenant, archived ones too.

    Raises ExperimentNotFound, or AccessDenied where the id is another tenant's.
    """
    found = sql.find_experiment(connection, uid)
    if found is None:
        raise access.missing_experiment(uid)
    return found


def writable_experiment(access: Access, tx: Connection, uid: str) -> Experiment:
    """An experiment that takes changes. Raises what `find_experiment` raises, and ExperimentArchived."""
    experiment = find_experiment(access, tx, uid)
    if experiment.lifecycle_stage != "active":
        raise ExperimentArchived(uid)
    return experiment
