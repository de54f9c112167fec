"""What uses the disk: the installation's files, and what experiments, runs and metrics have in them."""

from gnomon_server.core.access import Access, Principal
from gnomon_server.model.ids import RowId
from gnomon_server.model.storage import InstallationUse, MetricUse, NamedUse, StorageUse, UnsealedUse
from gnomon_server.store import Connection, Stores, space
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import runs as run_sql
from gnomon_server.store.meta import storage as sql


class Storage:
    """Measures when asked; nothing is kept."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._stores = stores
        self._access = access

    def installation(self) -> InstallationUse:
        """The files of all tenants."""
        return space.measure(self._stores.database, self._stores.blobs)

    def experiments(self, principal: Principal, *, limit: int, offset: int) -> tuple[int, list[NamedUse]]:
        """The experiments of the tenant, those that take most first; and how many there are."""
        with self._stores.database.read(principal.tenant) as connection:
            return sql.list_experiments(connection, limit=limit, offset=offset)

    def experiment(self, principal: Principal, uid: str) -> StorageUse:
        """What an experiment takes, archived runs included."""
        with self._stores.database.read(principal.tenant) as connection:
            row = self._experiment(connection, uid)
            found = None if row is None else sql.measure_experiment(connection, row)
        if found is None:
            raise self._access.missing_experiment(uid)
        return found

    def runs(self, principal: Principal, uid: str, *, limit: int, offset: int) -> tuple[int, list[NamedUse]]:
        """The runs of an experiment, those that take most first; and how many there are."""
        with self._stores.database.read(principal.tenant) as connection:
            row = self._experiment(connection, uid)
            found = None if row is None else sql.list_runs_of(connection, row, limit=limit, offset=offset)
        if found is None:
            raise self._access.missing_experiment(uid)
        return found

    def metrics(
        self, principal: Principal, uid: str, *, limit: int, offset: int
    ) -> tuple[int, list[MetricUse], UnsealedUse]:
        """The metrics of an experiment, those that take most first; how many; and what is not sealed."""
        with self._stores.database.read(principal.tenant) as connection:
            row = self._experiment(connection, uid)
            found = None if row is None else sql.list_metrics(connection, experiment=row, limit=limit, offset=offset)
        if found is None:
            raise self._access.missing_experiment(uid)
        return found

    def run(self, principal: Principal, uid: str) -> NamedUse:
        """What a run takes."""
        with self._stores.database.read(principal.tenant) as connection:
            head = run_sql.find_heads(connection, [uid]).get(uid)
            found = None if head is None else sql.measure_run(connection, head.row)
        if found is None:
            raise self._access.missing_run(uid)
        return found

    def metrics_of_run(
        self, principal: Principal, uid: str, *, limit: int, offset: int
    ) -> tuple[int, list[MetricUse], UnsealedUse]:
        """The metrics of a run, those that take most first; how many; and what is not sealed."""
        with self._stores.database.read(principal.tenant) as connection:
            head = run_sql.find_heads(connection, [uid]).get(uid)
            found = None if head is None else sql.list_metrics(connection, run=head.row, limit=limit, offset=offset)
        if found is None:
            raise self._access.missing_run(uid)
        return found

    def _experiment(self, connection: Connection, uid: str) -> RowId | None:
        found = experiment_sql.find_experiment(connection, uid)
        return None if found is None else found.row
