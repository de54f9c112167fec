"""What is not supported: said once, and answered with a thing that does nothing, so that the script goes on."""

from collections.abc import Iterator
from typing import Self

from gnomon.notice import notice


def say_once(what: str, instead: str = "it is left out") -> None:
    """Tell a person that something of wandb's is not kept."""
    notice(f"gnomon.wandb has no {what}; {instead}", cause=f"wandb {what}")


def absent(what: str, instead: str = "it is left out") -> "Absent":
    """Say that it is not there, and answer a stand-in."""
    say_once(what, instead)
    return Absent()


class Absent:
    """Takes every call and gives itself back: true of nothing, empty, and none the worse for being used."""

    def __call__(self, *args: object, **more: object) -> Self:
        return self

    def __getattr__(self, name: str) -> Self:
        if name.startswith("__"):  # what Python itself looks for; a wrong answer there would be believed
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> Self:
        return self

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def __fspath__(self) -> str:
        return "gnomon-wandb-absent"

    def __str__(self) -> str:
        return ""
