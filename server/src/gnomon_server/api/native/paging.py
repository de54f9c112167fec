"""Small pieces that several resources share."""

from typing import Annotated

from msgspec import Meta, Struct

Limit = Annotated[int, Meta(ge=1, le=1000, description="at most so many, 1 to 1000")]
Offset = Annotated[int, Meta(ge=0, le=2**53, description="how many to skip")]


class Purged(Struct, frozen=True):
    """What was removed for good."""

    id: str
    purged: bool = True
