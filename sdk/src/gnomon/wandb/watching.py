"""`watch`: how the gradients and parameters of a model are distributed, every so many passes, as wandb takes them.

Invariants:
- A hook never raises into a training and changes no gradient.
- A model that is watched can be copied and pickled; the copy is not watched.
- PyTorch is not imported: a model is whatever has `named_parameters` and takes hooks.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol, Self, cast

from gnomon.wandb.absent import say_once

# A name, and values of any shape.
Keep = Callable[[str, object], None]


class _Handle(Protocol):
    def remove(self) -> None: ...


class _Parameter(Protocol):
    requires_grad: bool

    def register_hook(self, hook: "_Hook") -> _Handle: ...


class _Model(Protocol):
    def named_parameters(self) -> Iterable[tuple[str, _Parameter]]: ...
    def register_forward_hook(self, hook: "_Hook") -> _Handle: ...


class Watching:
    """The models that one run watches."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._handles: list[tuple[object, _Handle]] = []
        self._models = 0

    def add(self, models: object, *, log: str | None, log_freq: int, idx: int | None) -> None:
        """Watch models. `log`: `gradients`, `parameters`, `all` or None; `log_freq`: every so many passes, from 1."""
        if log not in (None, "gradients", "parameters", "all"):
            say_once(f"watch of {log!r}", "it takes gradients, parameters or all")
            return
        every = max(1, int(log_freq))
        for model in models if isinstance(models, list | tuple) else [models]:
            number = self._models if idx is None else int(idx)
            self._models += 1
            if not callable(getattr(model, "named_parameters", None)):
                say_once(f"watch of {type(model).__name__}", "it takes modules of PyTorch")
                continue
            prefix = f"graph_{number}" if number else ""
            if log in ("gradients", "all"):
                self._watch_gradients(cast("_Model", model), prefix, every)
            if log in ("parameters", "all"):
                self._watch_parameters(cast("_Model", model), prefix, every)

    def remove(self, models: object = None) -> None:
        """Watch them no more; without models, none."""
        some = models if isinstance(models, list | tuple) else [models]
        for model, handle in self._handles:
            if models is None or any(model is one for one in some):
                handle.remove()
        self._handles = [
            each for each in self._handles if models is not None and not any(each[0] is one for one in some)
        ]

    def _watch_gradients(self, model: _Model, prefix: str, every: int) -> None:
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                hook = _Hook(partial(self._keep_gradient, f"gradients/{prefix}{name}"), every)
                self._handles.append((model, parameter.register_hook(hook)))

    def _keep_gradient(self, key: str, gradient: object) -> None:
        self._keep(key, _plain(gradient))

    def _watch_parameters(self, model: _Model, prefix: str, every: int) -> None:
        def keep_all(_model: object) -> None:
            for name, parameter in model.named_parameters():
                self._keep(f"parameters/{prefix}{name}", _plain(parameter))

        self._handles.append((model, model.register_forward_hook(_Hook(keep_all, every))))


class _Hook:
    """Every so many calls it keeps what it is given. A copy of it does nothing."""

    def __init__(self, keep: Callable[[object], None] | None = None, every: int = 1) -> None:
        self._keep = keep
        self._every = every
        self._passed = 0

    def __call__(self, given: object, *_more: object) -> None:
        self._passed += 1
        if self._keep is not None and self._passed >= self._every:
            self._passed = 0
            self._keep(given)

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()


def _plain(tensor: object) -> object:
    """The numbers of a tensor, by its own methods: on the processor, dense, of a type that numpy knows."""
    steps = ("detach", "coalesce", "values") if getattr(tensor, "is_sparse", False) else ("detach",)
    value = tensor
    for name in (*steps, "float", "cpu"):
        convert = getattr(value, name, None)
        value = convert() if callable(convert) else value
    return value
