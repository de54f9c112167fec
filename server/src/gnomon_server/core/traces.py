"""The rules of traces.

Spans and the end of a trace arrive in any order, and again after a lost answer: a span of the same id replaces what was
kept, and what the client says of the whole trace stands over what its spans say. A trace stays in the experiment that
it first came to, unless its client says another. An archived experiment takes no traces.
"""

from collections.abc import Callable, Mapping, Sequence

from gnomon_server.core import span_facts as facts
from gnomon_server.core.access import Access, Principal
from gnomon_server.core.previews import previews_of
from gnomon_server.model.entities import Experiment
from gnomon_server.model.errors import (
    ExperimentArchived,
    ExperimentNotFound,
    InvalidRequest,
    TagNotFound,
    TraceNotFound,
)
from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId
from gnomon_server.model.trace_counts import TraceCounts
from gnomon_server.model.traces import (
    MAX_ASSESSMENTS,
    MAX_PREVIEW,
    MAX_SPANS,
    SentSpan,
    Span,
    Trace,
    TraceHead,
    TraceOrder,
    checked_pairs,
    trace_uid,
)
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import assessments, numbered, spans, trace_search
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import runs as run_sql
from gnomon_server.store.meta import traces as sql

MAX_LINKED = 100
_ARTIFACTS = "mlflow.artifactLocation"


class Traces:
    """Keep, read, find and remove traces of one tenant at a time."""

    def __init__(self, stores: Stores, access: Access, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._access = access
        self._now_ms = now_ms

    def put(self, principal: Principal, number: int, head: TraceHead) -> Trace:
        """Keep what the client says of a trace; what its spans said before gives way, tags and metadata merge."""
        uid = trace_uid(head.uid)
        tags, metadata = checked_pairs(head.tags, field="tags"), checked_pairs(head.metadata, field="trace_metadata")
        if len(head.assessments) > MAX_ASSESSMENTS:
            raise InvalidRequest(f"a trace takes at most {MAX_ASSESSMENTS} assessments")
        values: dict[str, str | int | None] = {
            "time_ms": head.time_ms,
            "duration_ms": head.duration_ms,
            "state": head.state,
            "client_request": head.client_request,
            "final": 1,
        }
        for name, text in (("request_preview", head.request_preview), ("response_preview", head.response_preview)):
            if text is not None:
                values[name] = text[:MAX_PREVIEW]

        def work(tx: Connection) -> Trace:
            experiment = _active(tx, number)
            values["experiment"] = experiment.row
            row = sql.find_rows(tx, [uid]).get(uid)
            if row is None:
                row = sql.insert_trace(tx, principal.tenant, uid=uid, **values)
            else:
                sql.update_trace(tx, principal.tenant, row, **values)
            sql.set_pairs(tx, principal.tenant, row, "tag", {**tags, _ARTIFACTS: _files_of(experiment, uid)})
            sql.set_pairs(tx, principal.tenant, row, "metadata", metadata)
            assessments.put_assessments(tx, principal.tenant, row, head.assessments)
            if facts.SOURCE_RUN in metadata:
                sql.link_run(tx, principal.tenant, [row], metadata[facts.SOURCE_RUN])
            return _read(tx, uid)

        return self._stores.writer.call(principal.tenant, work)

    def log_spans(self, principal: Principal, number: int, sent: Sequence[SentSpan], *, run: str | None = None) -> None:
        """Keep spans, and what they say of their traces; all of them or none."""
        by_trace: dict[str, list[SentSpan]] = {}
        for one in sent:
            by_trace.setdefault(trace_uid(one.trace), []).append(one)

        def work(tx: Connection) -> None:
            found = sql.find_rows(tx, list(by_trace))
            experiment = _active(tx, number) if len(found) < len(by_trace) else None
            for uid, group in by_trace.items():
                row = found.get(uid)
                if row is None:
                    assert experiment is not None
                    row = self._begin(tx, principal, experiment, uid, group)
                else:
                    self._advance(tx, principal, uid, group)
                spans.put_spans(tx, principal.tenant, row, [one.span for one in group])
                if spans.count_spans(tx, row) > MAX_SPANS:
                    raise InvalidRequest(f"trace {uid} has more than {MAX_SPANS:,} spans, as many as are kept")
                self._sum_up(tx, principal, row, group)
                tags = {**facts.tags_of(group), facts.SPANS_LOCATION: "TRACKING_STORE"}
                sql.set_pairs(tx, principal.tenant, row, "tag", tags)
                if run is not None and facts.root_of(group) is not None and run_sql.find_heads(tx, [run]):
                    sql.link_run(tx, principal.tenant, [row], run)

        self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, uid: str) -> Trace:
        with self._stores.database.read(principal.tenant) as connection:
            return _read(connection, uid)

    def tree(self, principal: Principal, uid: str) -> tuple[Trace, list[Span]]:
        """A trace and its spans, in the order in which they began."""
        with self._stores.database.read(principal.tenant) as connection:
            trace = _read(connection, uid)
            return trace, spans.read_spans(connection, [trace.row])[trace.row]

    def trees(
        self, principal: Principal, uids: Sequence[str], *, numbers: Sequence[int] | None = None
    ) -> list[tuple[Trace, list[Span]]]:
        """Some traces with their spans, in the order asked; unknown ones are passed over."""
        with self._stores.database.read(principal.tenant) as connection:
            found = sql.find_rows(connection, uids)
            rows = list(dict.fromkeys(found[uid] for uid in uids if uid in found))
            traces = sql.read_traces(connection, rows)
            if numbers is not None:
                traces = [trace for trace in traces if trace.experiment_number in numbers]
            trees = spans.read_spans(connection, [trace.row for trace in traces])
            return [(trace, trees[trace.row]) for trace in traces]

    def search(
        self,
        principal: Principal,
        clauses: Sequence[Clause],
        order: Sequence[TraceOrder],
        *,
        numbers: Sequence[int],
        limit: int,
        offset: int,
    ) -> list[Trace]:
        """A page of the traces of some experiments that match."""
        with self._stores.database.read(principal.tenant) as connection:
            experiments = numbered.rows_numbered(connection, numbers)
            rows = trace_search.search_traces(
                connection, clauses, order, experiments=experiments, limit=limit, offset=offset
            )
            return sql.read_traces(connection, rows)

    def correlate(
        self,
        principal: Principal,
        first: Sequence[Clause],
        second: Sequence[Clause],
        *,
        base: Sequence[Clause],
        numbers: Sequence[int],
    ) -> TraceCounts:
        """How often two filters match alone and together, among the traces of some experiments that match `base`."""
        with self._stores.database.read(principal.tenant) as connection:
            experiments = numbered.rows_numbered(connection, numbers)
            return trace_search.count_traces(connection, first, second, base=base, experiments=experiments)

    def of_run(self, principal: Principal, run: str, *, limit: int, offset: int) -> tuple[int, list[Trace]]:
        """A page of the traces of a run, the newest first, and how many there are."""
        with self._stores.database.read(principal.tenant) as connection:
            if not run_sql.find_heads(connection, [run]):
                raise self._access.missing_run(run)
            total, rows = sql.rows_of_run(connection, run, limit=limit, offset=offset)
            return total, sql.read_traces(connection, rows)

    def set_tags(self, principal: Principal, uid: str, tags: Mapping[str, str]) -> None:
        clean = checked_pairs(tags, field="tags")

        def work(tx: Connection) -> None:
            sql.set_pairs(tx, principal.tenant, _read(tx, uid).row, "tag", clean)

        self._stores.writer.call(principal.tenant, work)

    def remove_tag(self, principal: Principal, uid: str, key: str) -> None:
        def work(tx: Connection) -> None:
            trace = _read(tx, uid)
            if key not in trace.tags:
                raise TagNotFound(key, owner=f"trace {uid}")
            sql.delete_pairs(tx, principal.tenant, trace.row, "tag", [key])

        self._stores.writer.call(principal.tenant, work)

    def delete(
        self,
        principal: Principal,
        number: int,
        *,
        uids: Sequence[str] | None = None,
        until_ms: int | None = None,
        limit: int | None = None,
    ) -> int:
        """Remove traces of an experiment for good: those named, or the oldest until a time. How many there were."""

        def work(tx: Connection) -> int:
            experiment = experiment_sql.find_experiment_numbered(tx, number)
            if experiment is None:
                return 0
            rows = sql.rows_to_delete(tx, experiment.row, uids=uids, until_ms=until_ms, limit=limit)
            sql.delete_traces(tx, principal.tenant, rows)
            return len(rows)

        return self._stores.writer.call(principal.tenant, work)

    def link_run(self, principal: Principal, uids: Sequence[str], run: str) -> None:
        """Say that traces belong to a run too; ids of no trace are passed over."""
        if len(uids) > MAX_LINKED:
            raise InvalidRequest(
                f"Cannot link more than {MAX_LINKED} traces to a run in a single request. Provided {len(uids)} traces."
            )

        def work(tx: Connection) -> None:
            if not run_sql.find_heads(tx, [run]):
                raise self._access.missing_run(run)
            sql.link_run(tx, principal.tenant, sql.find_rows(tx, uids).values(), run)

        self._stores.writer.call(principal.tenant, work)

    def link_prompts(self, principal: Principal, uid: str, prompts: Sequence[str]) -> None:
        """Say which versions of prompts (`name/version`) a trace used."""
        clean = checked_pairs(dict.fromkeys(prompts, ""), field="prompt_versions")

        def work(tx: Connection) -> None:
            sql.set_pairs(tx, principal.tenant, _read(tx, uid).row, "prompt", clean)

        self._stores.writer.call(principal.tenant, work)

    def _begin(
        self, tx: Connection, principal: Principal, experiment: Experiment, uid: str, group: Sequence[SentSpan]
    ) -> RowId:
        """Make the trace of spans that came before their client said anything of it."""
        first, last = facts.times_of(group)
        root = facts.root_of(group)
        row = sql.insert_trace(
            tx,
            principal.tenant,
            uid=uid,
            experiment=experiment.row,
            time_ms=first,
            duration_ms=None if last is None else last - first,
            state=facts.state_of(group) or "IN_PROGRESS",
            final=0,
            **({} if root is None else previews_of(root)),
        )
        sql.set_pairs(tx, principal.tenant, row, "tag", {_ARTIFACTS: _files_of(experiment, uid)})
        sql.set_pairs(tx, principal.tenant, row, "metadata", facts.metadata_of(group))
        return row

    def _advance(self, tx: Connection, principal: Principal, uid: str, group: Sequence[SentSpan]) -> None:
        """Bring a trace that is there up to what more of its spans say."""
        trace = _read(tx, uid)
        values: dict[str, str | int | None] = {}
        if not trace.is_final:
            first, last = facts.times_of(group)
            end = None if trace.duration_ms is None else trace.time_ms + trace.duration_ms
            ends = [at for at in (last, end) if at is not None]
            values["time_ms"] = min(first, trace.time_ms)
            values["duration_ms"] = max(ends) - min(first, trace.time_ms) if ends else None
        state = facts.state_of(group)
        if state is not None and (not trace.is_final or trace.state in ("IN_PROGRESS", "STATE_UNSPECIFIED")):
            values["state"] = state  # a root sent again tells better how it ended
        root = facts.root_of(group)
        previews = {} if root is None else previews_of(root)
        values.update({name: text for name, text in previews.items() if getattr(trace, name) is None})
        sql.update_trace(tx, principal.tenant, trace.row, **values)
        told = facts.metadata_of(group)
        new = {key: value for key, value in told.items() if key not in trace.metadata}
        sql.set_pairs(tx, principal.tenant, trace.row, "metadata", new)

    def _sum_up(self, tx: Connection, principal: Principal, row: RowId, group: Sequence[SentSpan]) -> None:
        """Tokens and money over all spans that are kept, which may have come in many exports.

        What each span tells is kept beside the trace: a trace may hold gigabytes, and this is done while all others
        who write are waiting.
        """
        known = sql.read_pairs(tx, row, "spent")
        told = {sent.span.uid: facts.spent_by(sent.attributes) for sent in group}
        if not known and not any(told.values()):
            return
        (trace,) = sql.read_traces(tx, [row])
        summed = {key for key in (facts.TOKEN_USAGE, facts.COST) if key in trace.metadata}
        if summed and not known and not trace.is_final:  # by a version that kept the sum alone
            kept = spans.read_spent(tx, row, facts.SPENT_MARKS)
            told = {sent.span.uid: facts.spent_by(sent.attributes) for sent in kept}
        sql.set_pairs(tx, principal.tenant, row, "spent", {uid: text for uid, text in told.items() if text})
        silent = [uid for uid, text in told.items() if not text and uid in known]
        sql.delete_pairs(tx, principal.tenant, row, "spent", silent)
        spent = {uid: text for uid, text in {**known, **told}.items() if text}
        total = facts.spent_of(spent, spans.read_parents(tx, row) if len(spent) > 1 else {})
        if trace.is_final:  # what the client summed up itself stands
            total = {key: value for key, value in total.items() if key not in summed}
        else:
            sql.delete_pairs(tx, principal.tenant, row, "metadata", sorted(summed - total.keys()))
        sql.set_pairs(tx, principal.tenant, row, "metadata", total)


def _read(connection: Connection, uid: str) -> Trace:
    found = sql.find_trace(connection, uid)
    if found is None:
        raise TraceNotFound(uid)
    return found


def _active(tx: Connection, number: int) -> Experiment:
    found = experiment_sql.find_experiment_numbered(tx, number)
    if found is None:
        raise ExperimentNotFound(str(number))
    if found.lifecycle_stage != "active":
        raise ExperimentArchived(str(number))
    return found


def _files_of(experiment: Experiment, uid: str) -> str:
    """Where clients look for the files of a trace."""
    return f"{experiment.artifact_location}/traces/{uid}/artifacts"
