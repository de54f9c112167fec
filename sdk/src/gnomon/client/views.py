"""Saved views of an experiment: what a page shows, under a name."""

from msgspec import Struct

from gnomon.client.transport import Transport, path_of
from gnomon.wire import Request


class SavedView(Struct, frozen=True):
    """`state` is the query string of the page, without its question mark."""

    id: str
    name: str
    state: str
    created_at: str
    last_updated: str
    created_by: str


class SavedViews(Struct, frozen=True):
    views: list[SavedView]
    total: int


class _ViewSave(Request, frozen=True):
    name: str
    state: str


class Views:
    """`client.views`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, experiment_id: str) -> SavedViews:
        """All of them, by name."""
        return self._transport.call("GET", _path(experiment_id), SavedViews)

    def create(self, experiment_id: str, name: str, state: str) -> SavedView:
        """Save a view; a taken name is `AlreadyExists`."""
        return self._transport.call("POST", _path(experiment_id), SavedView, message=_ViewSave(name, state))

    def replace(self, experiment_id: str, view_id: str, name: str, state: str) -> SavedView:
        """Give a view another name and state."""
        path, message = _path(experiment_id, view_id), _ViewSave(name, state)
        return self._transport.call("PUT", path, SavedView, message=message, repeatable=True)

    def delete(self, experiment_id: str, view_id: str) -> SavedView:
        """Remove a view for good; the answer is what it was."""
        return self._transport.call("DELETE", _path(experiment_id, view_id), SavedView)


def _path(experiment_id: str, *rest: str) -> str:
    return path_of("experiments", experiment_id, "views", *rest)
