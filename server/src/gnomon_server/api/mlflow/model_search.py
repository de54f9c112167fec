"""The search of logged models, whose filters, orders and page tokens MLflow reads by rules of their own.

A page token holds what was asked, and is good for that alone.
"""

import base64
import binascii
from typing import cast

import msgspec
from msgspec import Struct

from gnomon_server.api.mlflow import model_wire as wire
from gnomon_server.api.mlflow.convert import model_message
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.models import STATUS_OF
from gnomon_server.api.mlflow.search_words import BY_SIZE, LISTS, NULLS, TEXTS, Comparison, read_comparisons
from gnomon_server.api.route import Call
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters.clauses import Clause, Vocabulary, parse_clauses
from gnomon_server.model.registry import ModelOrder

_WORDS = Vocabulary(
    attributes={
        "name": "text",
        "model_id": "text",
        "model_type": "text",
        "status": "text",
        "source_run_id": "text",
        "experiment_id": "text",
        "creation_timestamp": "number",
        "last_updated_timestamp": "number",
    },
    entities={
        "attributes": "attribute",
        "metrics": "metric",
        "params": "param",
        "tags": "tag",
    },
    aliases={"creation_time": "creation_timestamp", "last_updated_time": "last_updated_timestamp"},
)


class _Token(Struct, frozen=True):
    offset: int
    experiment_ids: list[str] = []
    filter: str = ""
    order_by: list[wire.OrderAsked] = []


@wire_route("POST", "/2.0/mlflow/logged-models/search", needs="runs.read", asks=wire.SearchLoggedModels)
def search_models(call: Call[wire.SearchLoggedModels, None]) -> wire.LoggedModelsFound:
    """Find logged models; the newest first."""
    body = call.body
    if body.max_results < 1:
        raise InvalidRequest(f"Invalid value {body.max_results} for parameter 'max_results' supplied: it must be > 0.")
    offset = _offset(body)
    for dataset in body.datasets:
        if not dataset.dataset_name:
            raise InvalidRequest("`dataset_name` in the `datasets` clause must be specified.")
    if (said := _explain_filter(body.filter)) is not None:
        raise InvalidRequest(said, code="invalid_filter")
    total, found = call.services.models.search(
        call.principal,
        [_with_status(clause) for clause in parse_clauses(body.filter, _WORDS)],
        [_order(item) for item in body.order_by],
        numbers=[number_of(one) for one in body.experiment_ids],
        datasets=[(one.dataset_name, one.dataset_digest) for one in body.datasets],
        limit=body.max_results,
        offset=offset,
    )
    return wire.LoggedModelsFound([model_message(one) for one in found], _token(body, offset + len(found), total=total))


def _offset(body: wire.SearchLoggedModels) -> int:
    """Where the page begins. A token of another search is refused."""
    if not body.page_token:
        return 0
    try:
        token = msgspec.json.decode(base64.b64decode(body.page_token, validate=True), type=_Token)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise InvalidRequest("Invalid page token, could not base64-decode") from None
    for what, agrees, asked, found in (
        ("Experiment IDs", "do not match the requested experiment IDs", body.experiment_ids, token.experiment_ids),
        ("Filter string", "does not match the requested filter string", body.filter, token.filter),
        ("Order by", "does not match the requested order by", body.order_by, token.order_by),
    ):
        if asked != found:
            raise InvalidRequest(f"{what} in the page token {agrees}. Expected: {asked}. Found: {found or None}")
    if not 0 <= token.offset < 1 << 53:
        raise InvalidRequest("Invalid page token, it is a place outside of any listing")
    return token.offset


def _token(body: wire.SearchLoggedModels, offset: int, *, total: int) -> str:
    if offset >= total:
        return ""
    token = _Token(offset, body.experiment_ids, body.filter, body.order_by)
    return base64.b64encode(msgspec.json.encode(token)).decode()


def _explain_filter(text: str) -> str | None:
    """The first thing that MLflow would find wrong with a filter, in its words."""
    clauses, rest = read_comparisons(text)
    if rest:
        return (
            f"Invalid filter string: {text!r}. Expected a list of comparisons separated by 'AND' "
            "(e.g. 'metrics.loss > 0.1 AND params.lr = 0.01')."
        )
    return next((said for clause in clauses if (said := _explain(clause))), None)


def _explain(clause: Comparison) -> str | None:
    entity, dot, key = clause.name.partition(".")
    if not dot:
        entity, key = "attributes", clause.name
    if entity not in _WORDS.entities:
        return f"Invalid entity type: {entity!r}. Expected one of {list(_WORDS.entities)}."
    if clause.operator in NULLS:
        return f"Invalid comparison: {clause.name} {clause.operator}. Expected a comparison with 3 tokens."
    holds = _WORDS.attributes.get(_WORDS.aliases.get(key, key)) if entity == "attributes" else None
    known = BY_SIZE if entity == "metrics" or holds == "number" else (*TEXTS, *LISTS)
    if clause.operator not in known:
        return f"Invalid comparison operator for {entity}.{key}: {clause.operator!r}. Expected one of {known}."
    return None


def _with_status(clause: Clause) -> Clause:
    """A status as it is kept, where a client names it as the protocol does or in its short form."""
    if clause.kind != "attribute" or clause.key != "status":
        return clause
    kept = tuple(STATUS_OF.get(f"LOGGED_MODEL_{text.upper()}", STATUS_OF.get(text, text)) for text in _texts(clause))
    return Clause(clause.kind, clause.key, clause.op, kept)


def _texts(clause: Clause) -> tuple[str, ...]:
    return cast("tuple[str, ...]", clause.values)  # the vocabulary says that it holds text


def _order(item: wire.OrderAsked) -> ModelOrder:
    entity, dot, key = item.field_name.partition(".")
    kind = _WORDS.entities.get(entity) if dot else "attribute"
    if kind == "metric" and key:
        return ModelOrder(
            key,
            is_metric=True,
            descending=not item.ascending,
            dataset_name=item.dataset_name,
            dataset_digest=item.dataset_digest,
        )
    name = _WORDS.aliases.get(item.field_name, item.field_name)
    if dot or name not in _WORDS.attributes:
        only = ". Only metrics are supported." if dot else ""
        raise InvalidRequest(f"Invalid order by field name: {item.field_name}{only}")
    return ModelOrder(name, descending=not item.ascending)


ROUTES = [search_models]
