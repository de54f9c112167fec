"""The spool keeps what was appended, and a reader takes every whole frame and nothing else."""

import os
import random
import signal
import struct
from pathlib import Path

import pytest

from gnomon.record import Header, Params, Points, SpoolDamaged, decode_record, encode
from gnomon.spool import (
    MAGIC,
    RecordTooLarge,
    SpoolFull,
    SpoolWriter,
    adopt,
    find_folders,
    frame,
    has_living_sibling,
    read_frames,
    read_header,
    segment_path,
    segments,
)

HEADER = Header(
    run="0" * 32, writer="w1", first_record=0, pid=1, host="h", start_ms=5, experiment="fraud", tags={"a": "b"}
)


def payloads(folder: Path) -> list[bytes]:
    found: list[bytes] = []
    for number in segments(folder):
        path = segment_path(folder, number)
        _, start = read_header(path)
        found.extend(each.payload for each in read_frames(path, start))
    return found


def spooled(folder: Path, count: int, *, segment_bytes: int = 300) -> list[bytes]:
    writer = SpoolWriter(folder, HEADER, segment_bytes=segment_bytes)
    written = [encode(Points(i, float(i), {"loss": i / 3})) for i in range(count)]
    for payload in written:
        writer.append(payload)
    writer.close()
    return written


def test_what_was_appended_is_read_in_order_over_segments(tmp_path: Path) -> None:
    written = spooled(tmp_path / "w", 100)
    assert payloads(tmp_path / "w") == written
    assert len(segments(tmp_path / "w")) > 3
    assert decode_record(written[3]) == Points(3, 3.0, {"loss": 1.0})


def test_each_segment_says_whose_it_is_and_how_many_records_came_before(tmp_path: Path) -> None:
    spooled(tmp_path / "w", 50)
    before = 0
    for number in segments(tmp_path / "w"):
        path = segment_path(tmp_path / "w", number)
        header, start = read_header(path)
        assert (header.run, header.writer, header.tags) == (HEADER.run, "w1", {"a": "b"})
        assert header.first_record == before
        before += len(list(read_frames(path, start)))
    assert before == 50


def test_a_torn_tail_ends_the_reading_at_every_cut(tmp_path: Path) -> None:
    written = spooled(tmp_path / "w", 12, segment_bytes=10**6)
    path = segment_path(tmp_path / "w", 1)
    data = path.read_bytes()
    _, start = read_header(path)
    ends = [each.end for each in read_frames(path, start)]
    for size in range(start, len(data)):
        path.write_bytes(data[:size])
        assert payloads(tmp_path / "w") == written[: sum(end <= size for end in ends)]


def test_zeros_after_a_power_loss_are_no_frames(tmp_path: Path) -> None:
    written = spooled(tmp_path / "w", 5, segment_bytes=10**6)
    with segment_path(tmp_path / "w", 1).open("ab") as file:
        file.write(bytes(5000))
    assert payloads(tmp_path / "w") == written


def test_a_reader_survives_every_mutation_and_keeps_what_is_before_it(tmp_path: Path) -> None:
    written = spooled(tmp_path / "w", 30, segment_bytes=10**6)
    path = segment_path(tmp_path / "w", 1)
    data = path.read_bytes()
    _, start = read_header(path)
    ends = [each.end for each in read_frames(path, start)]
    rng = random.Random(7)
    for _ in range(1_000):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        changed = bytearray(data)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del changed[at : at + rng.randrange(1, 40)]
        elif kind == 2:
            changed[at:at] = rng.randbytes(rng.randrange(1, 40))
        else:
            changed[at:] = rng.randbytes(rng.randrange(200))
        path.write_bytes(changed)
        try:
            header, first = read_header(path)
        except SpoolDamaged:
            assert at < start
            continue
        assert header.run == HEADER.run or at < start
        found = [each.payload for each in read_frames(path, first)]
        whole = sum(end <= at for end in ends)
        assert found[:whole] == written[:whole] or at < start


def test_random_bytes_are_no_segment_and_no_record(tmp_path: Path) -> None:
    rng = random.Random(11)
    path = tmp_path / "x.seg"
    for _ in range(500):
        noise = rng.randbytes(rng.randrange(100))
        path.write_bytes(rng.choice([b"", MAGIC, MAGIC + frame(noise or b"x")]) + noise)
        with pytest.raises(SpoolDamaged):
            read_header(path)
        with pytest.raises(SpoolDamaged):
            decode_record(noise)


def test_a_frame_that_claims_to_be_huge_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "x.seg"
    path.write_bytes(struct.pack("<II", 2**31, 0) + b"abc")
    assert list(read_frames(path, 0)) == []


def test_a_large_frame_is_read_whole(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    record = Params(1, {f"p{i}": "x" * 6000 for i in range(700)})
    writer.append(encode(record))
    writer.append(b"\x01")
    writer.close()
    first, second = payloads(tmp_path / "w")
    assert decode_record(first) == record
    assert second == b"\x01"


def test_a_folder_is_adopted_only_when_its_writer_is_gone(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "r" / "w", HEADER)
    assert find_folders(tmp_path) == [tmp_path / "r" / "w"]
    assert adopt(tmp_path / "r" / "w") is None
    writer.close()
    first = adopt(tmp_path / "r" / "w")
    assert first is not None
    assert adopt(tmp_path / "r" / "w") is None
    first.release()
    again = adopt(tmp_path / "r" / "w")
    assert again is not None
    again.release()


def test_a_forked_child_that_abandons_does_not_hold_the_lock(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        writer.abandon()
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    assert adopt(tmp_path / "w") is None  # the child gave up its copy of the lock, not the lock
    writer.close()
    adopted = adopt(tmp_path / "w")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert adopted is not None
    adopted.release()
    os.close(ready)
    os.close(told)


def test_the_folder_of_a_writer_that_never_logged_goes(tmp_path: Path) -> None:
    for name, content in (("w1", {}), ("w2", {"00000001.next": MAGIC})):
        folder = tmp_path / "r" / name
        folder.mkdir(parents=True)
        (folder / "lock").touch()
        for file, data in content.items():
            (folder / file).write_bytes(data)
        assert adopt(folder) is None
        assert not folder.exists()


def test_a_living_sibling_is_seen_beside_dead_ones(tmp_path: Path) -> None:
    for name in ("a", "b", "d"):
        SpoolWriter(tmp_path / "r" / name, HEADER).close()
    (tmp_path / "r" / "0").mkdir()
    (tmp_path / "r" / "0" / "lock").touch()
    assert not has_living_sibling(tmp_path / "r" / "a")
    living = SpoolWriter(tmp_path / "r" / "c", HEADER)
    assert has_living_sibling(tmp_path / "r" / "a")
    assert not has_living_sibling(tmp_path / "r" / "c")
    living.close()


def test_a_segment_without_its_name_is_found(tmp_path: Path) -> None:
    written = spooled(tmp_path / "w", 40)
    last = segments(tmp_path / "w")[-1]
    path = segment_path(tmp_path / "w", last)
    path.rename(path.with_suffix(".next"))
    (tmp_path / "w" / f"{last + 1:08d}.next").write_bytes(MAGIC)
    adopted = adopt(tmp_path / "w")
    assert adopted is not None
    adopted.release()
    assert payloads(tmp_path / "w") == written
    assert not list((tmp_path / "w").glob("*.next"))


def test_a_full_spool_refuses_and_takes_again_after_some_was_sent(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER, segment_bytes=1_000, limit_bytes=5_000)
    kept = 0
    while kept < 1000:
        try:
            writer.append(b"x" * 50)
        except SpoolFull:
            break
        kept += 1
    assert 0 < kept < 1000
    assert payloads(tmp_path / "w") == [b"x" * 50] * kept
    writer.append(b"the end of the run", beyond_limit=True)
    first = segment_path(tmp_path / "w", 1)
    size = first.stat().st_size
    first.unlink()
    writer.forget(size)
    writer.append(b"y" * 50)
    writer.close()
    assert payloads(tmp_path / "w")[-1] == b"y" * 50


def test_half_a_write_leaves_no_half_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    writer.append(b"one")
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real(fd, data[:6]))
        with pytest.raises(OSError, match="only a part"):
            writer.append(b"two")
    writer.append(b"three")
    writer.close()
    assert payloads(tmp_path / "w") == [b"one", b"three"]


def test_a_signal_handler_may_log_while_a_segment_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER, segment_bytes=300)
    expected = []
    real = os.open
    with monkeypatch.context() as patch:

        def interrupted(*args: object, **more: object) -> int:
            writer.append(b"from the handler")
            expected.append(b"from the handler")
            return real(*args, **more)  # type: ignore[arg-type]

        patch.setattr(os, "open", interrupted)
        for i in range(40):
            writer.append(b"%d" % i)
            expected.append(b"%d" % i)
    writer.close()
    assert sorted(payloads(tmp_path / "w")) == sorted(expected)
    assert b"from the handler" in expected


def test_a_record_that_no_reader_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnomon.spool.MAX_FRAME_BYTES", 1000)
    writer = SpoolWriter(tmp_path / "w", HEADER)
    writer.append(b"x" * 1000)
    with pytest.raises(RecordTooLarge, match="1001 bytes"):
        writer.append(b"x" * 1001)
    writer.append(b"y")
    writer.close()
    assert payloads(tmp_path / "w") == [b"x" * 1000, b"y"]


def test_a_closed_spool_says_so(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    writer.close()
    writer.close()
    with pytest.raises(OSError, match="closed"):
        writer.append(b"x")
