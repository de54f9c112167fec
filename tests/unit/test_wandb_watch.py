"""What `watch` asks of a model and does with it, without PyTorch; with it: tests/trainers/test_heavy.py."""

import copy
import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from gnomon.wandb.watching import Watching

Hook = Callable[..., None]


class Handle:
    def __init__(self, hooks: list[Hook], hook: Hook) -> None:
        self.hooks, self.hook = hooks, hook

    def remove(self) -> None:
        self.hooks.remove(self.hook)


class Parameter:
    def __init__(self, values: list[float], *, requires_grad: bool = True) -> None:
        self.data = np.array(values)
        self.requires_grad = requires_grad
        self.hooks: list[Hook] = []

    def register_hook(self, hook: Hook) -> Handle:
        self.hooks.append(hook)
        return Handle(self.hooks, hook)

    def detach(self) -> NDArray[np.float64]:
        return self.data


class Model:
    """Takes hooks as a module of PyTorch does."""

    def __init__(self) -> None:
        self.weight, self.fixed = Parameter([1.0, 2.0]), Parameter([3.0], requires_grad=False)
        self.hooks: list[Hook] = []

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        yield from (("weight", self.weight), ("fixed", self.fixed))

    def register_forward_hook(self, hook: Hook) -> Handle:
        self.hooks.append(hook)
        return Handle(self.hooks, hook)

    def step(self) -> None:
        for hook in self.hooks:
            hook(self, (), None)
        for hook in self.weight.hooks:
            assert hook(self.weight.data * 10) is None  # anything else would take the gradient's place


Kept = list[tuple[str, list[float]]]


@pytest.fixture
def kept() -> Kept:
    return []


@pytest.fixture
def watching(kept: Kept) -> Watching:
    return Watching(lambda key, values: kept.append((key, np.asarray(values).tolist())))


@pytest.mark.parametrize(
    ("log", "names"),
    [
        ("gradients", ["gradients/weight"]),
        ("parameters", ["parameters/weight", "parameters/fixed"]),
        ("all", ["parameters/weight", "parameters/fixed", "gradients/weight"]),
        (None, []),
        ("everything", []),
    ],
)
def test_it_keeps_what_is_asked_for_every_so_many_passes(
    watching: Watching, kept: Kept, log: str | None, names: list[str]
) -> None:
    model = Model()
    watching.add(model, log=log, log_freq=3, idx=None)
    for passed in range(7):
        model.step()
        assert [name for name, _ in kept] == names * ((passed + 1) // 3)
    values = {"parameters/weight": [1.0, 2.0], "parameters/fixed": [3.0], "gradients/weight": [10.0, 20.0]}
    assert all(values[name] == found for name, found in kept)


def test_each_of_several_models_has_a_name_of_its_own(watching: Watching, kept: Kept) -> None:
    first, second = Model(), Model()
    watching.add([first, object(), second], log="gradients", log_freq=1, idx=None)
    first.step()
    second.step()
    assert [name for name, _ in kept] == ["gradients/weight", "gradients/graph_2weight"]
    watching.remove(first)
    first.step()
    second.step()
    assert [name for name, _ in kept][2:] == ["gradients/graph_2weight"]
    watching.remove()
    second.step()
    assert len(kept) == 3


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_watched_model_is_not_watched(
    watching: Watching, kept: Kept, duplicate: Callable[[Model], Model]
) -> None:
    model = Model()
    watching.add(model, log="all", log_freq=1, idx=None)
    other = duplicate(model)
    other.step()
    assert kept == []
    model.step()
    assert len(kept) == 3
