"""Saved views: a page of an experiment as somebody left it, under a name, for everybody in the tenant.

The state is the query string of the page as a URL writes it. The server reads nothing from it, so what a page of
another version says is never refused; it only bounds it.
"""

import re
from collections.abc import Callable

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.finding import find_experiment, writable_experiment
from gnomon_server.model import names
from gnomon_server.model.entities import SavedView
from gnomon_server.model.errors import (
    AlreadyExists,
    FieldError,
    InvalidRequest,
    ViewNotFound,
    invalid_field,
)
from gnomon_server.model.ids import new_uid
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import views as sql

# What a URL may be: whatever a page can show as a link it can also save.
MAX_STATE = 8 * 1024
MAX_VIEWS = 200

_UNSAVABLE = re.compile(r"[^ -~]")


class Views:
    """List, make, change and remove the views of one experiment at a time."""

    def __init__(self, stores: Stores, access: Access, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._access = access
        self._now_ms = now_ms

    def list(self, principal: Principal, experiment_uid: str) -> list[SavedView]:
        """All of them, by name; of an archived experiment too."""
        with self._stores.database.read(principal.tenant) as connection:
            return sql.list_views(connection, find_experiment(self._access, connection, experiment_uid).row)

    def create(self, principal: Principal, experiment_uid: str, *, name: str, state: str) -> SavedView:
        """Save a view under a name that is free in the experiment."""
        now_ms = self._now_ms()
        view = SavedView(
            uid=new_uid(),
            name=names.experiment_name(name),
            state=_checked_state(state),
            created_by=principal.subject,
            created_ms=now_ms,
            updated_ms=now_ms,
        )

        def work(tx: Connection) -> SavedView:
            experiment = writable_experiment(self._access, tx, experiment_uid)
            if sql.count_views(tx, experiment.row) >= MAX_VIEWS:
                raise InvalidRequest(
                    f"the experiment has {MAX_VIEWS} saved views, as many as it may; remove one first",
                    code="too_many_views",
                )
            _refuse_taken(sql.find_view_named(tx, experiment.row, view.name), but=view.uid)
            sql.insert_view(tx, principal.tenant, experiment.row, view)
            return view

        return self._stores.writer.call(principal.tenant, work)

    def replace(self, principal: Principal, experiment_uid: str, uid: str, *, name: str, state: str) -> SavedView:
        """Give a view another name and state. The same again changes nothing but its time."""
        name, state, now_ms = names.experiment_name(name), _checked_state(state), self._now_ms()

        def work(tx: Connection) -> SavedView:
            experiment = writable_experiment(self._access, tx, experiment_uid)
            old = sql.find_view(tx, experiment.row, uid)
            if old is None:
                raise ViewNotFound(uid)
            _refuse_taken(sql.find_view_named(tx, experiment.row, name), but=uid)
            view = SavedView(
                uid=old.uid,
                name=name,
                state=state,
                created_by=old.created_by,
                created_ms=old.created_ms,
                updated_ms=now_ms,
            )
            sql.update_view(tx, principal.tenant, experiment.row, view)
            return view

        return self._stores.writer.call(principal.tenant, work)

    def delete(self, principal: Principal, experiment_uid: str, uid: str) -> SavedView:
        """Remove a view for good. What it was is returned."""

        def work(tx: Connection) -> SavedView:
            experiment = writable_experiment(self._access, tx, experiment_uid)
            old = sql.find_view(tx, experiment.row, uid)
            if old is None:
                raise ViewNotFound(uid)
            sql.delete_view(tx, principal.tenant, experiment.row, uid)
            return old

        return self._stores.writer.call(principal.tenant, work)


def _checked_state(state: str) -> str:
    if _UNSAVABLE.search(state) is not None:
        raise invalid_field("state", "is not plain ASCII; send the page's query string as the URL writes it")
    if len(state) > MAX_STATE:
        raise invalid_field("state", f"has {len(state)} characters; at most {MAX_STATE} are kept")
    return state


def _refuse_taken(found: SavedView | None, *, but: str) -> None:
    if found is not None and found.uid != but:
        message = f"a view is called {found.name!r} already; choose another name, or replace {found.uid}"
        raise AlreadyExists(message, errors=[FieldError("name", message)])
