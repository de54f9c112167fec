"""Experiments by their number, for clients of trackers that count them: 0 is `Default`, and it is always there.

The rules are those of `Experiments`; where such clients expect a refusal that the native API does not make (archiving
twice, tagging what is archived), it is made here.
"""

from collections.abc import Callable, Mapping, Sequence

from gnomon_server.core.access import Principal, artifact_location_of
from gnomon_server.core.experiments import Experiments
from gnomon_server.model.entities import Experiment, LifecycleStage
from gnomon_server.model.errors import ExperimentArchived, ExperimentNotFound, TagNotFound
from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import new_uid
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import experiments as sql
from gnomon_server.store.meta import numbered

DEFAULT_NUMBER = 0
DEFAULT_NAME = sql.DEFAULT_NAME


class NumberedExperiments:
    """Find, search and change experiments of one tenant by their numbers or names."""

    def __init__(self, stores: Stores, experiments: Experiments, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._experiments = experiments
        self._now_ms = now_ms

    def get(self, principal: Principal, number: int) -> Experiment:
        """The experiment of this number, archived ones too."""
        if number == DEFAULT_NUMBER:
            self.ensure_default(principal)
        with self._stores.database.read(principal.tenant) as connection:
            found = sql.find_experiment_numbered(connection, number)
        if found is None:
            raise ExperimentNotFound(str(number))
        return found

    def named(self, principal: Principal, name: str) -> Experiment:
        """The experiment of this name, archived ones too."""
        if name == sql.DEFAULT_NAME:
            self.ensure_default(principal)
        with self._stores.database.read(principal.tenant) as connection:
            found = sql.find_experiment_named(connection, name)
        if found is None:
            raise ExperimentNotFound(name)
        return found

    def search(
        self,
        principal: Principal,
        clauses: Sequence[Clause],
        order: Sequence[tuple[str, bool]],
        *,
        stage: LifecycleStage | None,
        limit: int,
        offset: int,
    ) -> tuple[int, list[Experiment]]:
        """A page of the experiments that match, and how many do."""
        self.ensure_default(principal)
        with self._stores.database.read(principal.tenant) as connection:
            total, rows = numbered.search_experiments(
                connection, clauses, order, stage=stage, limit=limit, offset=offset
            )
            return total, sql.read_experiments(connection, rows)

    def ensure_default(self, principal: Principal) -> None:
        """Make the experiment `Default` where the tenant has no number 0 yet and nothing else took its name."""
        with self._stores.database.read(principal.tenant) as connection:
            if _has_default(connection):
                return

        def work(tx: Connection) -> None:
            if _has_default(tx):
                return
            uid = new_uid()
            sql.insert_experiment(
                tx,
                principal.tenant,
                uid=uid,
                name=sql.DEFAULT_NAME,
                description="",
                artifact_location=artifact_location_of(uid),
                now_ms=self._now_ms(),
            )

        self._stores.writer.call(principal.tenant, work)

    def rename(self, principal: Principal, number: int, name: str) -> Experiment:
        """Give an active experiment another name."""
        return self._experiments.update(principal, self._active(principal, number).uid, name=name)

    def set_tags(self, principal: Principal, number: int, tags: Mapping[str, str], *, longest: int) -> Experiment:
        """Set tags of an active experiment, their values at most `longest` characters."""
        uid = self._active(principal, number).uid
        return self._experiments.update(principal, uid, tags=tags, longest_tag=longest)

    def remove_tag(self, principal: Principal, number: int, key: str) -> Experiment:
        """Remove a tag that an active experiment has."""
        found = self._active(principal, number)
        if key not in found.tags:
            raise TagNotFound(key, owner=f"experiment {number}")
        return self._experiments.update(principal, found.uid, tags={key: None})

    def archive(self, principal: Principal, number: int) -> Experiment:
        """Archive an experiment that is active; another is not found."""
        found = self.get(principal, number)
        if found.lifecycle_stage != "active":
            raise ExperimentNotFound(str(number))
        return self._experiments.archive(principal, found.uid)

    def restore(self, principal: Principal, number: int) -> Experiment:
        """Restore an experiment that is archived, with every run of it; another is not found."""
        found = self.get(principal, number)
        if found.lifecycle_stage != "deleted":
            raise ExperimentNotFound(str(number))
        return self._experiments.restore(principal, found.uid, all_runs=True)

    def _active(self, principal: Principal, number: int) -> Experiment:
        found = self.get(principal, number)
        if found.lifecycle_stage != "active":
            raise ExperimentArchived(str(number))
        return found


def _has_default(connection: Connection) -> bool:
    if sql.find_experiment_numbered(connection, DEFAULT_NUMBER) is not None:
        return True
    return sql.find_experiment_named(connection, sql.DEFAULT_NAME) is not None
