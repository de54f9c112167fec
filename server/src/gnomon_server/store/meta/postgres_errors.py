"""What an error of PostgreSQL means: a defect of ours, something that passes by itself, or a database out of reach."""

from typing import Literal

import psycopg
import sqlalchemy as sa

from gnomon_server.model.errors import Unavailable

Meaning = Literal["defect", "again", "lost", "refused"]

# Two transactions stood in each other's way, and this one gave way: done again it succeeds.
_AGAIN = frozenset(("40001", "40P01"))
_FULL = "53100"
# The statement took longer than it may, or waited longer for a lock.
_SLOW = frozenset(("57014", "55P03"))
# Classes of states that say nothing about the statement: resources, the operator, the system, no connection.
_OUTSIDE = ("53", "57P", "58", "08")
_READ_ONLY = "25006"  # a standby, after a failover that the connection outlived
_IDLE_TOO_LONG = "25P03"
_RETRY_SECS = 2


def meaning_of(error: BaseException) -> Meaning:
    """`again`: do the whole transaction again. `lost`: the connection is gone; what was under way may or may not be
    kept. `refused`: nothing is kept, and it may succeed later.
    """
    if isinstance(error, sa.exc.TimeoutError):  # no connection of the pool came free
        return "refused"
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return "defect"
    state = original.sqlstate
    if state in _AGAIN:
        return "again"
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return "lost"
    if state is None:
        # The driver's own: without an answer of the server an operational error is a broken or refused connection.
        return "lost" if isinstance(original, psycopg.OperationalError | psycopg.InterfaceError) else "defect"
    if state in (_READ_ONLY, _IDLE_TOO_LONG) or state.startswith(("57P", "08")):
        return "lost"
    return "refused" if state in _SLOW or state.startswith(_OUTSIDE) else "defect"


def refusal_of(error: BaseException) -> Unavailable | None:
    """What to tell who asked, when it is not a defect."""
    meaning = meaning_of(error)
    if meaning == "defect":
        return None
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if state == _FULL:
        return Unavailable(
            "the database's disk is full: free space there, then send this again",
            code="storage_full",
            retry_after_secs=10,
        )
    if state in _SLOW:
        return Unavailable("the database took too long; ask for less, or try again shortly", code="too_slow")
    if meaning == "again":
        return Unavailable("too much is written at once in one place; send this again shortly")
    return Unavailable(
        "the database cannot be reached; send this again in a moment",
        code="database_unavailable",
        retry_after_secs=_RETRY_SECS,
    )
