"""The messages of files that go past the server: uploads in parts, and presigned addresses."""

from gnomon_server.api.mlflow.wire import Asked, Told


class CreateParts(Asked, frozen=True):
    path: str = ""
    num_parts: int = 1


class SentPart(Asked, frozen=True):
    part_number: int = 0
    etag: str = ""
    url: str = ""


class CompleteParts(Asked, frozen=True):
    path: str = ""
    upload_id: str = ""
    parts: list[SentPart] = []


class AbortParts(Asked, frozen=True):
    path: str = ""
    upload_id: str = ""


class PartCredential(Told, frozen=True):
    url: str
    part_number: int
    headers: dict[str, str] = {}


class PartsCreated(Told, frozen=True):
    upload_id: str
    credentials: list[PartCredential] = []


class PresignedDownload(Told, frozen=True):
    url: str
    headers: dict[str, str] = {}
    file_size: int | None = None
