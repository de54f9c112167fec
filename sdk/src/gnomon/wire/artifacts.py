"""Messages about the files of a run."""

from msgspec import Struct

from gnomon.bounds import Count, Sha256, Time, Uid


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
