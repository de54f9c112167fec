"""What stands in a spool: one record per call that logged something, as MessagePack arrays that begin with their kind.

Invariants: a record is whole by itself, so that a spool can be read from any frame on; times are Unix milliseconds of
the process that logged; kinds and positions never change their meaning (docs/formats/spool.md). Fields may be added at
the end of a record and to the header: readers ignore what they do not know.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from gnomon.errors import GnomonError

EndStatus = Literal["finished", "failed", "killed"]


class SpoolDamaged(GnomonError):
    """A spool file says what no version of this package wrote."""


class Header(Struct, frozen=True):
    """Who writes which run; stands at the head of every segment, so that each can be sent when the others are gone."""

    run: str
    writer: str
    first_record: int
    pid: int
    host: str
    start_ms: int
    experiment: str
    name: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    rank: int = 0  # among the processes of one job; of the others, metrics are kept under names of their own
    is_primary: bool = True  # it began or resumed the run, and says how it ended; forked children only log
    is_offline: bool = False  # its script wanted nothing sent: only `gnomon sync` does
    url: str = ""
    tenant: str | None = None


class Points(Struct, frozen=True, array_like=True, tag=1):
    time_ms: int
    step: float
    values: dict[str, float]


class Params(Struct, frozen=True, array_like=True, tag=2):
    time_ms: int
    values: dict[str, str]


class Tags(Struct, frozen=True, array_like=True, tag=3):
    time_ms: int
    values: dict[str, str]


class End(Struct, frozen=True, array_like=True, tag=4):
    time_ms: int
    status: EndStatus


class Artifact(Struct, frozen=True, array_like=True, tag=5):
    """A file to send: `stored` is its copy in the writer's folder `artifacts/`, of this size.

    A small one stands here as `data`, and has no copy.
    """

    time_ms: int
    stored: str
    name: str
    directory: str | None
    size: int
    data: bytes | None = None


class Reopen(Struct, frozen=True, array_like=True, tag=6):
    """The run goes on after an end."""

    time_ms: int


class Thinned(Struct, frozen=True, array_like=True, tag=7):
    """So many points were logged before this and not kept, because there was no room."""

    time_ms: int
    points: int


Entries = Points | Params | Tags | Thinned
Action = End | Artifact | Reopen
Record = Entries | Action

encode = msgspec.msgpack.Encoder().encode
_records: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)
_decode_header = msgspec.msgpack.Decoder(Header).decode


def decode_record(payload: bytes) -> Record:
    """The record of a frame; raises `SpoolDamaged` for one that this version does not know."""
    try:
        return _records.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SpoolDamaged(f"a record is none of this version ({error}); try a newer gnomon-sdk") from error


def decode_header(payload: bytes) -> Header:
    """The header of a segment; raises `SpoolDamaged`."""
    try:
        return _decode_header(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SpoolDamaged(f"the header of a segment is none of this version ({error})") from error
