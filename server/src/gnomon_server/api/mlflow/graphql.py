"""GraphQL as MLflow's own pages ask it: a few questions, each answered by the function behind a route of this protocol.

Invariants: a document is bounded before anything of it runs (tokens, depth, fields, questions), and so is the number of
rows that one answer is made of; no field asks the database for each row. What a user got wrong stands in `errors`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, cast

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    get_nullable_type,
    is_list_type,
    parse,
    validate,
)

from gnomon_server.api.mlflow import artifacts, experiments, links, metrics, registry, runs, wire
from gnomon_server.api.mlflow.convert import experiment_message, version_message
from gnomon_server.api.mlflow.declare import AnyCall, wire_route
from gnomon_server.api.mlflow.errors import sentence_of
from gnomon_server.api.mlflow.graphql_schema import SCHEMA
from gnomon_server.api.mlflow.model_wire import SearchVersions
from gnomon_server.api.mlflow.reading import read_tree
from gnomon_server.api.mlflow.wire import Asked
from gnomon_server.api.route import Call
from gnomon_server.model.errors import AccessDenied, GnomonError, InvalidRequest, TooManyRequests, Unavailable
from gnomon_server.model.filters.clauses import Clause

# MLflow's own bounds are 10 questions, 10 aliases, a depth of 10 and 1,000 fields.
_MAX_TOKENS = 4_000
_MAX_DEPTH = 10
_MAX_FIELDS = 1_000
_MAX_ROOTS = 10
_MAX_ALIASES = 10
# Resolving one costs some 20 us; this many hold a thread for a second or two.
_MAX_ROWS = 20_000
_MAX_VERSIONS = 10_000
_SNAKE = re.compile("[A-Z]")
_DEFAULTS: Mapping[str, object] = {"String": "", "LongString": "0", "Float": 0.0, "Boolean": False}

# What stands behind a question: the shape of its input, and the function that a route has for it too.
Question = tuple[type[Asked], Callable[[AnyCall], msgspec.Struct]]
_QUESTIONS: Mapping[str, Question] = {
    "mlflowGetExperiment": (wire.ExperimentAsked, experiments.read_experiment),
    "mlflowGetMetricHistoryBulkInterval": (wire.HistoryInterval, metrics.read_interval),
    "mlflowGetRun": (wire.RunAsked, runs.read_run),
    "mlflowListArtifacts": (wire.ListArtifacts, artifacts.read_directory),
    "mlflowSearchModelVersions": (SearchVersions, registry.find_versions),
    "mlflowSearchRuns": (wire.SearchRuns, runs.find_runs),
    "mlflowSearchDatasets": (wire.SearchDatasets, links.find_datasets),
}

# A tree as JSON knows it, with names in snake_case.
Tree = dict[str, Any]


class GraphqlAsked(Asked, frozen=True):
    required = ("query",)
    query: str = ""
    variables: dict[str, Any] = {}
    operation_name: str = ""


class GraphqlTold(msgspec.Struct, frozen=True):
    data: Mapping[str, Any] | None
    errors: list[str] | None


class _Asking:
    """One request: who asks, and how many rows it has been given."""

    def __init__(self, call: AnyCall) -> None:
        self.call = call
        self._rows = 0

    def count(self, tree: object) -> None:
        """Count what is in lists, and refuse more than an answer is made of."""
        if isinstance(tree, dict):
            for value in tree.values():
                self.count(value)
        elif isinstance(tree, list):
            self._rows += len(tree)
            for value in tree:
                self.count(value)
        if self._rows > _MAX_ROWS:
            raise InvalidRequest(f"The answer holds more than {_MAX_ROWS} rows; ask for fewer with maxResults.")


@wire_route(("GET", "POST"), "/graphql", needs="runs.read", asks=GraphqlAsked, prefixes=("",))
def ask(call: Call[GraphqlAsked, None]) -> GraphqlTold:
    """Answer a document of GraphQL."""
    body = call.body
    try:
        document = parse(body.query, no_location=True, max_tokens=_MAX_TOKENS)
    except (GraphQLError, RecursionError) as error:
        raise InvalidRequest(f"The query is no GraphQL: {str(error).partition(chr(10))[0]}") from None
    faults = _bounded(document) or [fault.message for fault in validate(_schema(), document)]
    if faults:
        return GraphqlTold(None, faults)
    result = execute_sync(
        _schema(),
        document,
        context_value=_Asking(call),
        variable_values=body.variables,
        operation_name=body.operation_name or None,
        field_resolver=_resolve,
    )
    return GraphqlTold(result.data, [_said(error) for error in result.errors or ()] or None)


@lru_cache(maxsize=1)
def _schema() -> GraphQLSchema:
    schema = build_schema(SCHEMA)
    long = cast("GraphQLScalarType", schema.type_map["LongString"])
    # How graphql-core has a scalar defined that is declared in a schema's text.
    long.coerce_output_value, long.coerce_input_value = str, int
    return schema


def _bounded(document: DocumentNode) -> list[str]:
    """What is too much about a document. Fragments count wherever they are used."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    fields = 0
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        level, depth = _fields([operation.selection_set], fragments), 1
        if len(level) > _MAX_ROOTS:
            return [f"GraphQL queries should have at most {_MAX_ROOTS} root fields, got {len(level)} root fields."]
        while level:
            fields += len(level)
            aliases = sum(field.alias is not None for field in level)
            if depth > _MAX_DEPTH:
                return [f"Query exceeds maximum depth of {_MAX_DEPTH}"]
            if fields > _MAX_FIELDS:
                return [f"Query exceeds maximum total selections of {_MAX_FIELDS}"]
            if aliases > _MAX_ALIASES:
                return [f"GraphQL queries should have at most {_MAX_ALIASES} aliases, got {aliases} aliases."]
            level = _fields([field.selection_set for field in level if field.selection_set], fragments)
            depth += 1
    return []


def _fields(sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> list[FieldNode]:
    """The fields of one level, at most a few more than are allowed."""
    found: list[FieldNode] = []
    looked = 0
    for first in sets:
        waiting, seen = [first], set[str]()
        while waiting and looked <= _MAX_FIELDS and len(found) <= _MAX_FIELDS:
            looked += 1
            for selection in waiting.pop().selections:
                if isinstance(selection, FieldNode):
                    found.append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                    seen.add(selection.name.value)
                    if selection.name.value in fragments:
                        waiting.append(fragments[selection.name.value].selection_set)
    return found


def _resolve(source: Tree | None, info: GraphQLResolveInfo[Any], **given: Any) -> object:
    """The value of a field: a question's answer at the root, and below it what the answer holds."""
    name = info.field_name
    if source is None:
        return {"output": given.get("inputString")} if name.startswith("test") else _answer(info, given)
    if name in ("experiment", "modelVersions") and "_page" in source:
        page: _Page = source["_page"]
        run = source["info"]
        return page.experiments.get(run["experiment_id"]) if name == "experiment" else page.versions(run["run_id"])
    key = _SNAKE.sub(lambda found: f"_{found[0].lower()}", name)
    value = source.get(key)
    if value is None:
        kind = get_nullable_type(info.return_type)
        return [] if is_list_type(kind) else _DEFAULTS.get(str(kind))
    return None if value == "NaN" and str(info.return_type) == "Float" else value


def _answer(info: GraphQLResolveInfo[Any], given: Mapping[str, Any]) -> Tree:
    asking: _Asking = info.context
    shape, function = _QUESTIONS[info.field_name]
    body = read_tree(given.get("input") or {}, shape)
    tree: Tree = msgspec.to_builtins(function(replace(asking.call, body=body)))
    asking.count(tree)
    found = [tree["run"]] if "run" in tree else tree.get("runs", [])
    page = _Page(asking, found)
    for run in found:
        run["_page"] = page
    return tree


class _Page:
    """Runs of one answer, and what is asked for all of them at once when the first is asked for it."""

    def __init__(self, asking: _Asking, runs: Sequence[Tree]) -> None:
        self._asking = asking
        self._runs = runs

    @cached_property
    def experiments(self) -> Mapping[str, Tree]:
        call = self._asking.call
        numbers = tuple(sorted({run["info"]["experiment_id"] for run in self._runs}))
        wanted = [Clause("attribute", "experiment_id", "in", numbers)]
        _, found = call.services.numbered.search(call.principal, wanted, [], stage=None, limit=len(numbers), offset=0)
        return {str(one.number): msgspec.to_builtins(experiment_message(call.principal, one)) for one in found}

    def versions(self, run: str) -> Sequence[Tree]:
        return self._versions.get(run, [])

    @cached_property
    def _versions(self) -> Mapping[str, list[Tree]]:
        call = self._asking.call
        wanted = [Clause("attribute", "run_id", "in", tuple(run["info"]["run_id"] for run in self._runs))]
        _, found = call.services.registry.search_versions(
            call.principal, registry.without_prompts(wanted), [], limit=_MAX_VERSIONS, offset=0
        )
        by_run: dict[str, list[Tree]] = {}
        for one in found:
            by_run.setdefault(one.run, []).append(msgspec.to_builtins(version_message(one)))
        self._asking.count(by_run)
        return by_run


def _said(error: GraphQLError) -> str:
    """What stands in `errors`; what is no fault of the question's is said as it is anywhere else."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error.message
    if not isinstance(cause, GnomonError) or isinstance(cause, AccessDenied | Unavailable | TooManyRequests):
        raise cause
    return sentence_of(cause)


ROUTES = [ask]
