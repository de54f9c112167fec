"""MLflow's REST protocol, as a client: of a server to read from, and of ours where only that protocol has the words.

Failures that may pass (no answer, 429, 502, 503, 504) are tried again with growing waits; everything here may be
repeated without doing a thing twice.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
import urllib3
from msgspec import Struct

from gnomon.errors import GnomonError
from gnomon.importing.mlflow_files import PROXIED
from gnomon.importing.mlflow_source import Unreachable
from gnomon.jitter import own_random

T = TypeVar("T")

_ATTEMPTS = 6
_FIRST_WAIT_SECS = 0.3
_PASSING = frozenset({429, 502, 503, 504})
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_TIMEOUT_SECS = 120.0
# What to do about an answer that says nothing in MLflow's words.
_LOGIN = "it answers {}; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
_NEXT_STEP = {401: _LOGIN, 403: _LOGIN}
_NO_MLFLOW = "it answers {}, and not as MLflow does; name the address that MLflow's clients use (MLFLOW_TRACKING_URI)"


class Refused(GnomonError):
    """The server said no; `code` is its word for why."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Refusal(Struct, frozen=True):
    error_code: str = ""
    message: str = ""


class FileInfo(Struct, frozen=True):
    path: str
    is_dir: bool = False
    file_size: int = 0


class _Files(Struct, frozen=True):
    files: list[FileInfo] = []


class MlflowApi:
    """Calls of one server."""

    def __init__(self, url: str, *, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self.name = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._base = self.name.rstrip("/")
        self._headers = {**headers}
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers |= urllib3.make_headers(basic_auth=credentials)
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(_TIMEOUT_SECS))

    def close(self) -> None:
        self._pool.clear()

    def get(self, path: str, answer: type[T], **query: object) -> T:
        """`path` as in `experiments/get`; what is None is left out of the query."""
        asked = [(key, value) for key, value in query.items() if value is not None]
        return self._call("GET", f"/api/2.0/mlflow/{path}?{urlencode(asked)}", answer)

    def post(self, path: str, answer: type[T], /, **body: object) -> T:
        return self._send("POST", path, answer, body)

    def patch(self, path: str, answer: type[T], /, **body: object) -> T:
        return self._send("PATCH", path, answer, body)

    def delete(self, path: str, /, **body: object) -> None:
        self._send("DELETE", path, dict, body)

    def count(self, method: str, path: str, field: str, body: object) -> int | None:
        """How long the list of an answer is, of a route that may not be there: then None."""
        try:
            found = self._call(method, path, dict[str, object], body=msgspec.json.encode(body))
        except Refused:
            return None
        listed = found.get(field)
        return len(listed) if isinstance(listed, list) else 0

    def files(self, uri: str) -> "ProxiedFiles":
        """The files at an `mlflow-artifacts:` URI."""
        parts = urlsplit(uri)
        if parts.scheme != PROXIED:
            raise Unreachable(f"{uri} is not served by the tracking server; import from a place that can read it")
        return ProxiedFiles(self, unquote(parts.path).strip("/"))

    def list_files(self, folder: str) -> list[FileInfo]:
        return self._call("GET", f"{_FILES}?{urlencode({'path': folder})}", _Files).files

    def put_file(self, path: str, source: Path) -> None:
        def attempt() -> urllib3.BaseHTTPResponse:
            with source.open("rb") as file:
                headers = {**self._headers, "Content-Length": str(source.stat().st_size)}
                return self._pool.request("PUT", f"{self._base}{_FILES}/{quote(path)}", body=file, headers=headers)

        self._answered(attempt)

    @contextmanager
    def fetch_file(self, path: str) -> Iterator[Path]:
        with TemporaryDirectory(prefix="gnomon-import-") as folder:
            to = Path(folder) / "file"

            def attempt() -> urllib3.BaseHTTPResponse:
                url = f"{self._base}{_FILES}/{quote(path)}"
                response = self._pool.request("GET", url, headers=self._headers, preload_content=False)
                if response.status < 300:
                    with to.open("wb") as file:
                        shutil.copyfileobj(response, file, 1 << 20)
                response.release_conn()
                return response

            self._answered(attempt)
            yield to

    def _send(self, method: str, path: str, answer: type[T], body: Mapping[str, object]) -> T:
        sent = {key: value for key, value in body.items() if value is not None}
        return self._call(method, f"/api/2.0/mlflow/{path}", answer, body=msgspec.json.encode(sent))

    def _call(self, method: str, path: str, answer: type[T], *, body: bytes | None = None) -> T:
        headers = dict(self._headers) if body is None else {**self._headers, "Content-Type": "application/json"}
        response = self._answered(
            lambda: self._pool.request(method, f"{self._base}{path}", body=body, headers=headers, redirect=False)
        )
        try:
            return msgspec.json.decode(response.data, type=answer, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GnomonError(f"{self.name} does not answer as MLflow does ({error}); check its address") from error

    def _answered(self, attempt: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
        for number in range(1, _ATTEMPTS + 1):
            try:
                response = attempt()
            except urllib3.exceptions.HTTPError as error:
                if number == _ATTEMPTS:
                    raise GnomonError(f"{self.name} does not answer ({error}); check its address") from error
            else:
                if response.status < 300:
                    return response
                if response.status not in _PASSING or number == _ATTEMPTS:
                    raise _refusal(self.name, response)
            time.sleep(_FIRST_WAIT_SECS * 2.0**number * own_random())
        raise AssertionError("the last attempt returns or raises")


class ProxiedFiles:
    """The files below one folder of a server's `mlflow-artifacts`."""

    def __init__(self, api: MlflowApi, root: str) -> None:
        self._api = api
        self._root = root

    def walk(self) -> Iterator[str]:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            listed = self._api.list_files(f"{self._root}/{folder}".rstrip("/"))
            for each in sorted(listed, key=lambda info: info.path, reverse=True):
                # Paths are relative to what was listed.
                path = f"{folder}/{each.path}" if folder else each.path
                if each.is_dir:
                    waiting.append(path)
                else:
                    yield path

    def fetch(self, path: str) -> AbstractContextManager[Path]:
        return self._api.fetch_file(f"{self._root}/{path}")

    def put(self, path: str, source: Path) -> None:
        self._api.put_file(f"{self._root}/{path}", source)


def headers_of_environment() -> dict[str, str]:
    """How MLflow's own client would be let in, to `MLFLOW_WORKSPACE`: by token, or by name and password."""
    workspace = os.environ.get("MLFLOW_WORKSPACE")
    headers = {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return headers | {"Authorization": f"Bearer {token}"}
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        basic = urllib3.make_headers(basic_auth=f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}")
        return headers | dict(basic)
    return headers


def _refusal(name: str, response: urllib3.BaseHTTPResponse) -> Refused:
    try:
        said = msgspec.json.decode(response.data, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _Refusal()
    words = said.message or _NEXT_STEP.get(response.status, _NO_MLFLOW).format(response.status)
    return Refused(f"{name}: {words}", status=response.status, code=said.error_code)
