"""The SDK and the server spell the same words; neither imports the other, so a test compares them."""

import importlib
import pkgutil
from typing import Literal, get_args, get_origin

import gnomon.wire
import gnomon_server.model


def _words(package: str, path: list[str]) -> dict[str, set[tuple[object, ...]]]:
    """Every `Name = Literal[...]` of the modules of a package, by its name."""
    found: dict[str, set[tuple[object, ...]]] = {}
    for module in pkgutil.iter_modules(path, f"{package}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if get_origin(value) is Literal:
                found.setdefault(name, set()).add(get_args(value))
    return found


def test_what_both_name_has_the_same_words() -> None:
    wire = _words("gnomon.wire", list(gnomon.wire.__path__))
    model = _words("gnomon_server.model", list(gnomon_server.model.__path__))
    both = wire.keys() & model.keys()
    assert {"EventType", "WebhookFormat", "DeliveryState"} <= both
    assert {name: wire[name] for name in both} == {name: model[name] for name in both}
