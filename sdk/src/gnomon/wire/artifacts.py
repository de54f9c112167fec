"""Messages about the files of a run."""

from msgspec import Struct

from gnomon.bounds import Count, Sha256, Time, Uid

# The least; a file has at most MAX_PARTS, so those of a larger one are larger.
PART_BYTES = 8 * 1024 * 1024
MAX_PARTS = 10_000


class ArtifactLogged(Struct, frozen=True):
    message: str
    run_id: Uid
    artifact: str
    size: Count
    sha256: Sha256


class ArtifactInfo(Struct, frozen=True):
    path: str
    is_dir: bool
    size: Count | None
    sha256: Sha256 | None
    created_at: Time | None


class ArtifactListResponse(Struct, frozen=True):
    artifacts: list[ArtifactInfo]
    total: Count
    limit: Count
    offset: Count


class PartUrl(Struct, frozen=True):
    """Where the bytes of a part can be PUT for a short time, past the server and without a key."""

    number: Count
    url: str


class UploadStatus(Struct, frozen=True):
    """`parts` are the numbers of those that are here. With `artifact` nothing has to be sent: the content was here.

    `part_urls` are addresses for the first missing parts, where the server offers any; each part may also go through
    the server.
    """

    upload_id: Uid
    path: str
    size: Count
    sha256: Sha256
    part_size: Count
    parts: list[Count]
    artifact: ArtifactLogged | None
    part_urls: list[PartUrl] = []


class PartReceived(Struct, frozen=True):
    upload_id: Uid
    number: Count
    sha256: Sha256


class UploadRemoved(Struct, frozen=True):
    upload_id: Uid


def part_size(size: int) -> int:
    """How long the parts of a file are, all but the last: whole MiB, the same on both sides."""
    mib = 1024 * 1024
    return max(PART_BYTES, -(-size // (MAX_PARTS * mib)) * mib)
