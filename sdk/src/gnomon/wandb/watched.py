"""`wandb.config` and `wandb.summary`: mappings that tell the run what is set in them.

Attributes and items are the same. Nested mappings are read like the config itself. A config's value becomes a param
when it is set first; a param is written once, so another value for it becomes a tag (`wandb.config.lr`).
"""

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import asdict, is_dataclass
from typing import cast

Tell = Callable[[str, object, object], None]
_MISSING = object()


class Watched(MutableMapping[str, object]):
    """A mapping whose changes are told: key, value, and the value before, if there was one."""

    def __init__(self, tell: Tell) -> None:
        object.__setattr__(self, "_tell", tell)
        object.__setattr__(self, "_values", {})

    def __getitem__(self, key: str) -> object:
        value = self._own()[key]
        return _View(value) if isinstance(value, dict) else value

    def __setitem__(self, key: str, value: object) -> None:
        before = self._own().get(key, _MISSING)
        self._own()[key] = _plain(value)
        tell: Tell = object.__getattribute__(self, "_tell")
        tell(str(key), value, None if before is _MISSING else before)

    def __delitem__(self, key: str) -> None:
        self._own().pop(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own())

    def __len__(self) -> int:
        return len(self._own())

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"nothing is set under {name!r}") from None

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __repr__(self) -> str:
        return repr(self._own())

    def update(self, *given: object, allow_val_change: bool | None = None, **more: object) -> None:  # type: ignore[override]
        for each in given:
            for key, value in as_mapping(each).items():
                self[str(key)] = value
        for key, value in more.items():
            self[key] = value

    def setdefaults(self, given: object) -> dict[str, object]:
        for key, value in as_mapping(given).items():
            self.setdefault(str(key), value)
        return self.as_dict()

    def as_dict(self) -> dict[str, object]:
        return dict(self._own())

    def remember(self, key: str, value: object) -> None:
        """Set without telling."""
        self._own()[key] = value

    def _own(self) -> dict[str, object]:
        values: dict[str, object] = object.__getattribute__(self, "_values")
        return values


class Config(Watched):
    """`wandb.config`."""


class Summary(Watched):
    """`wandb.summary`: the last value of each metric, unless the script sets it."""

    def get(self, key: str, default: object = None) -> object:
        return self._own().get(key, default)


class _View(dict[str, object]):
    """A nested mapping, whose items may be read as attributes too."""

    def __getattr__(self, name: str) -> object:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(f"nothing is set under {name!r}") from None
        return _View(value) if isinstance(value, dict) else value


def as_mapping(given: object) -> Mapping[str, object]:
    """A config as people give it: a mapping, a namespace of argparse, a dataclass. Raises `TypeError` for the rest."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    if isinstance(given, Namespace):
        return vars(given)
    if is_dataclass(given) and not isinstance(given, type):
        return cast("Mapping[str, object]", asdict(given))
    items = getattr(given, "items", None)
    if callable(items):
        return dict(items())
    raise TypeError(f"{type(given).__name__} is no config; give a dict, a namespace or a dataclass")


def _plain(value: object) -> object:
    return {str(key): _plain(each) for key, each in value.items()} if isinstance(value, Mapping) else value
