"""Files on the client's side: resumed, verified, and never written where they should not be."""

import hashlib
from pathlib import Path

import pytest

import gnomon
from gnomon.client.artifacts import PIECE_BYTES, place_below

from .scripted import Answer, Serve

DATA = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(DATA).hexdigest()
ETAG = f'"{DIGEST}"'


def stored(sha256: str = DIGEST) -> Answer:
    return Answer(body=b'{"message":"","run_id":"r1","artifact":"m/data.bin","size":1,"sha256":"%s"}' % sha256.encode())


def left_over(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_download_appears_under_its_own_path(serve: Serve, tmp_path: Path) -> None:
    client, script, _ = serve(Answer(body=DATA, headers={"ETag": ETAG}))
    written = client.artifacts.download("r1", "models/a b.bin", tmp_path)
    assert written == tmp_path / "models" / "a b.bin"
    assert written.read_bytes() == DATA
    assert left_over(tmp_path) == [written]
    assert script.asked[0].target.endswith("/runs/r1/artifacts/models/a%20b.bin")


@pytest.mark.parametrize("etag", [ETAG, f'"sha256:{DIGEST}"', f'W/"{DIGEST}"'])
def test_the_hash_is_read_from_the_etag(serve: Serve, etag: str) -> None:
    client, _, _ = serve(Answer(body=DATA, headers={"ETag": etag}))
    assert client.artifacts.read("r1", "a") == DATA


@pytest.mark.parametrize("headers", [{"ETag": f'"{"0" * 64}"'}, {"ETag": '"abc"'}, {}])
def test_bytes_without_their_hash_are_not_kept(serve: Serve, tmp_path: Path, headers: dict[str, str]) -> None:
    client, _, _ = serve(Answer(body=DATA, headers=headers))
    with pytest.raises(gnomon.IntegrityError):
        client.artifacts.download("r1", "a.bin", tmp_path)
    assert left_over(tmp_path) == []


def test_a_download_that_fails_leaves_the_older_file_as_it_was(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"older")
    client, _, _ = serve(Answer(body=DATA, headers={"ETag": f'"{"0" * 64}"'}))
    with pytest.raises(gnomon.IntegrityError):
        client.artifacts.download("r1", "a.bin", tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"older"
    assert left_over(tmp_path) == [tmp_path / "a.bin"]


def test_a_broken_download_goes_on_where_it_broke(serve: Serve, tmp_path: Path) -> None:
    broken_at = 3 * PIECE_BYTES
    client, script, _ = serve(
        Answer(body=DATA, headers={"ETag": ETAG}, cut_after=broken_at),
        Answer(206, DATA[broken_at:], {"ETag": ETAG}),
    )
    assert client.artifacts.download("r1", "a.bin", tmp_path).read_bytes() == DATA
    assert script.asked[1].headers["range"] == f"bytes={broken_at}-"
    assert script.asked[1].headers["if-range"] == ETAG


def test_a_file_that_changed_between_two_parts_is_not_glued_together(serve: Serve, tmp_path: Path) -> None:
    client, _, _ = serve(
        Answer(body=DATA, headers={"ETag": ETAG}, cut_after=2 * PIECE_BYTES),
        Answer(200, b"another file", {"ETag": '"x"'}),
    )
    with pytest.raises(gnomon.IntegrityError, match="changed while it was read"):
        client.artifacts.download("r1", "a.bin", tmp_path)
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        *("../a", "a/../../b", "/etc/passwd", "a//b", "a/./b", "", "..", "a/...", "a/ /b"),
        *("a\\b", "C:/x", "a\x00b", "a\nb", "\x1b[2J", "\u202ex"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(gnomon.UnsafePath):
        place_below(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "models/größe 1.bin", "👩\u200d💻.png", "ab:c/d..e", "x/.hidden", "100%"])
def test_any_other_name_is_a_place_below_the_directory(tmp_path: Path, name: str) -> None:
    assert place_below(tmp_path, name) == tmp_path / name


def test_a_link_inside_the_directory_leads_nowhere_else(serve: Serve, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "models").symlink_to(outside)
    client, script, _ = serve(Answer(body=DATA, headers={"ETag": ETAG}))
    with pytest.raises(gnomon.UnsafePath, match="a link leads it out"):
        client.artifacts.download("r1", "models/a.bin", inside)
    assert left_over(outside) == []
    assert script.asked == []


def test_an_upload_sends_the_file_whole_and_again_from_its_start(serve: Serve, tmp_path: Path) -> None:
    source = tmp_path / 'da"ta.bin'
    source.write_bytes(DATA)
    client, script, _ = serve(Answer(cut_after=-1), stored())
    logged = client.artifacts.log("r1", source, artifact_path="m")
    assert logged.sha256 == DIGEST
    first, second = script.asked
    assert first.target.endswith("/runs/r1/log-artifact?artifact_path=m")
    for asked in (first, second):
        assert int(asked.headers["content-length"]) == len(asked.body)
        head, _, rest = asked.body.partition(b"\r\n\r\n")
        assert b'name="file"; filename="da%22ta.bin"' in head
        assert rest.startswith(DATA)


def test_an_upload_that_arrived_otherwise_is_an_error(serve: Serve) -> None:
    client, _, _ = serve(stored("0" * 64))
    with pytest.raises(gnomon.IntegrityError, match="other bytes than were sent"):
        client.artifacts.log("r1", DATA, name="a.bin")


def test_bytes_need_a_name(serve: Serve) -> None:
    client, script, _ = serve(stored())
    with pytest.raises(gnomon.GnomonError, match="need a name"):
        client.artifacts.log("r1", DATA)
    assert script.asked == []
