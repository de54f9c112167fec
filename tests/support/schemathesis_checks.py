"""What the contract test teaches Schemathesis: a well-formed request is refused with 400 for a reason of state only.

JSON Schema cannot say "this name is free" or "this text is a filter". Everything it can say, the OpenAPI document
says; so a 400 that answers a request which fits the document must carry one of the reasons listed here.
"""

import os
import re
from pathlib import Path

import schemathesis

# Where to note which operation answered what, so that the test knows what was reached.
SEEN = "GNOMON_CONTRACT_SEEN"
_seen: set[str] = set()

# Codes that speak of state, or of a language that no schema describes.
CODES = frozenset(
    (
        "already_exists",
        "experiment_archived",
        "no_session",
        "run_archived",
        "not_archived",
        "param_conflict",
        "too_many_keys",
        "hash_mismatch",
        "parts_missing",
        "too_many_uploads",
        "invalid_filter",
        "invalid_order_by",
        "invalid_columns",
        "egress_refused",
        "too_many_webhooks",
        "too_many_rules",
    )
)
# Rules between the fields of one request, or of settings: the field, and how the message goes on.
RULES = (
    ("artifact_location", "is not under a prefix"),
    ("end_time", "is not between 1970 and 9999"),
    ("end_time", "is before the run's start_time"),
    ("range", "is upside down"),
    ("number", r"is none of the \d+ parts"),
    ("metric|minutes|steps", "is needed by a rule|or minutes: give one|and minutes mean nothing|must lie between"),
    ("webhook_id", "is no webhook of this tenant"),
    ("keep_best", "goes with a metric"),
    ("value", "is not finite"),
    ("buckets", "times runs times keys"),
    ("by", "names no column"),
    ("create", "names the experiment twice or not at all"),
    ("body", r"holds \d+ metrics, params and tags|holds more than"),
    (r"points\.(key|step|timestamp)", r"holds \d+ entries and value|points at key"),
    (r"points\.(key|step|timestamp|value)", r"is \d+ bytes long|holds a"),
    ("artifact_path|path|file", "has a segment longer than"),
    # Of every text of every request: the document says it once, in its description, not as a pattern of each.
    (".*", r"holds U\+0000"),
    # To JSON Schema 3.0 is an integer; in JSON text it is a double, and no integer is written so.
    (".*", r"Expected `int.*`, got `float`"),
)


@schemathesis.check
def refuses_for_a_reason_of_state(
    _ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """A request that fits the schema, and is refused all the same, is refused for what the schema cannot say."""
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return None
    problem = response.json()
    if problem["code"] in CODES:
        return None
    errors = problem.get("errors", [])
    assert errors, f"refused without a field: {problem['detail']}"
    for error in errors:
        assert any(
            re.fullmatch(field, error["field"]) and re.match(message, error["message"]) for field, message in RULES
        ), f"the schema could have said it: {error['field']}: {error['message']}"
    return None


@schemathesis.check
def note_what_was_reached(
    _ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """No check: notes each pair of operation and status once."""
    line = f"{case.operation.label} {response.status_code}"
    if line not in _seen:
        _seen.add(line)
        with Path(os.environ[SEEN]).open("a", encoding="utf-8") as notes:
            notes.write(f"{line}\n")
    return None
