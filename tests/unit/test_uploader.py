"""A spool is sent exactly once, whoever dies when, and nothing that the server refuses keeps the rest."""

import json
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.support.ledger_model import Killed, LedgerModel, Point

from gnomon import cut as cutting
from gnomon import drain as draining
from gnomon.cursor import load_cursor
from gnomon.drain import Drain, Fate, Held
from gnomon.errors import AccessDenied, ApiError, ConnectionFailed, ServerBusy
from gnomon.record import Artifact, End, Header, Params, Points, Reopen, SpoolDamaged, Tags, encode
from gnomon.remote import judge
from gnomon.spool import SpoolWriter, adopt, find_folders, segment_path, segments
from gnomon.uploader import LONGEST_WAIT_SECS, Uploader

RUN = "0" * 32
HEADER = Header(run=RUN, writer="w1", first_record=0, pid=1, host="h", start_ms=5, experiment="fraud")
OTHER = Header(run=RUN, writer="w0", first_record=0, pid=1, host="h", start_ms=5, experiment="fraud", is_primary=False)


def write(
    folder: Path, rng: random.Random, records: int, *, keys: int = 4, header: Header = HEADER
) -> tuple[Counter[Point], SpoolWriter]:
    """A spool of random records, and the points that must arrive."""
    writer = SpoolWriter(folder, header, segment_bytes=rng.randrange(300, 3000))
    expected: Counter[Point] = Counter()
    for i in range(records):
        values = {f"m{k}": rng.random() for k in range(rng.randrange(1, keys + 1))}
        writer.append(encode(Points(1000 + i, float(i), values)))
        expected.update((key, float(i), 1000 + i, value) for key, value in values.items())
        if rng.random() < 0.1:
            writer.append(encode(Params(i, {f"p{i}": str(i)})))
            writer.append(encode(Tags(i, {"t": str(i)})))
    return expected, writer


def drain_of(folder: Path, remote: LedgerModel) -> Drain:
    return Drain(folder, lambda _header: remote)


def send_all(drain: Drain) -> None:
    while drain.step():
        pass


def test_all_of_a_spool_arrives_once_and_its_folder_goes(tmp_path: Path) -> None:
    expected, writer = write(tmp_path / RUN / "w", random.Random(1), 300)
    writer.append(encode(End(2000, "finished")))
    writer.close()
    server = LedgerModel()
    drain = drain_of(tmp_path / RUN / "w", server)
    send_all(drain)
    assert drain.close_dead("ended")
    assert server.points == expected
    assert (server.status[RUN], drain.cursor.points) == ("finished", expected.total())
    assert not (tmp_path / RUN).exists()


@pytest.mark.parametrize("seed", range(25))
def test_exactly_once_under_faults_and_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(cutting, "MAX_BYTES", rng.randrange(50, 2000))
    folder = tmp_path / RUN / "w"
    expected, writer = write(folder, rng, 120)
    server = LedgerModel(rng, faults=0.25)
    real_save = draining.save_cursor

    def save(*args: object) -> None:
        if rng.random() < 0.1:
            raise Killed
        real_save(*args)  # type: ignore[arg-type]
        if rng.random() < 0.1:
            raise Killed

    monkeypatch.setattr(draining, "save_cursor", save)
    late = 40  # the job goes on while its spool is sent
    drain = drain_of(folder, server)
    for _ in range(20_000):
        if late and rng.random() < 0.3:
            late -= 1
            writer.append(encode(Points(9000 + late, 0.0, {"late": float(late)})))
            expected[("late", 0.0, 9000 + late, float(late))] += 1
        try:
            if not drain.step() and not late:
                break
        except Killed:
            drain = drain_of(folder, server)
        except (ConnectionFailed, ServerBusy, Held):
            continue
        except ApiError as error:
            if judge(error) != "again":
                raise
    assert late == 0
    assert server.points == expected
    assert drain.cursor.points == expected.total()
    writer.close()


def test_a_batch_in_flight_is_cut_again_the_same_way_after_more_was_logged(tmp_path: Path) -> None:
    """The number of a batch means the same entries for ever: else what came in between would be taken for sent."""
    writer = SpoolWriter(tmp_path / "w", HEADER)
    writer.append(encode(Points(1, 1.0, {"a": 1.0})))
    server = LedgerModel()
    drain = drain_of(tmp_path / "w", server)
    send_all(drain)
    writer.append(encode(Points(2, 2.0, {"a": 2.0})))
    real = server._answer
    server._answer = _fail  # type: ignore[method-assign]
    with pytest.raises(ConnectionFailed):
        drain.step()
    server._answer = real  # type: ignore[method-assign]
    writer.append(encode(Points(3, 3.0, {"a": 3.0})))
    writer.close()
    again = drain_of(tmp_path / "w", server)
    send_all(again)
    assert server.points == Counter({("a", float(i), i, float(i)): 1 for i in (1, 2, 3)})


def _fail() -> None:
    raise ConnectionFailed("the answer was lost")


@pytest.mark.parametrize("seed", range(5))
def test_poison_is_set_aside_entry_by_entry(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    expected, writer = write(tmp_path / "w", rng, 200)
    writer.append(encode(Params(1, {"bad": "x", "good": "y"})))
    writer.close()
    server = LedgerModel()
    server.poison = {"m2", "bad"}
    drain = drain_of(tmp_path / "w", server)
    send_all(drain)
    poisoned = {point for point in expected if point[0] == "m2"}
    assert server.points == Counter(point for point in expected.elements() if point not in poisoned)
    assert server.params["good"] == "y"
    lines = [json.loads(line) for line in (tmp_path / "w" / "rejected" / "w1.jsonl").read_text().splitlines()]
    assert len(lines) == drain.cursor.rejected == len(poisoned) + 1
    assert {line["entry"]["key"] for line in lines} == {"m2", "bad"}
    assert all(line["reason"] == "one of them is poison" for line in lines)
    drain.remove()
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["rejected"]


def test_metrics_past_the_bound_are_set_aside_without_asking_about_each_point(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    server = LedgerModel()
    server.most_keys = 20
    drain = drain_of(tmp_path / "w", server)
    for i in range(300):
        writer.append(encode(Points(i, float(i), {f"m{k}": float(k) for k in range(40)})))
        if i % 30 == 0:
            send_all(drain)
    writer.close()
    send_all(drain)
    assert Counter(key for key, *_ in server.points.elements()) == {f"m{k}": 300 for k in range(20)}
    assert drain.cursor.rejected == 300 * 20
    assert drain.cursor.points == 300 * 20
    assert len((tmp_path / "w" / "rejected" / "w1.jsonl").read_text().splitlines()) == 300 * 20
    assert server.requests < 300


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthenticated"), (403, "tenant_access_denied"), (404, "run_not_found"), (400, "run_archived")],
)
def test_what_a_person_must_put_right_keeps_everything(tmp_path: Path, status: int, code: str) -> None:
    expected, writer = write(tmp_path / "w", random.Random(3), 20)
    writer.close()
    server = LedgerModel()
    server.refusal = AccessDenied("put it right", status=status, code=code)
    drain = drain_of(tmp_path / "w", server)
    with pytest.raises(Held, match="put it right"):
        send_all(drain)
    server.refusal = None
    drain = drain_of(tmp_path / "w", server)
    assert drain.step()
    server.refusal = AccessDenied("put it right", status=status, code=code)
    writer_rest = drain.cursor.at
    with pytest.raises(Held, match="put it right"):
        _more_then_send(tmp_path / "w2", server)
    assert drain.cursor.at == writer_rest
    server.refusal = None
    send_all(drain)
    assert server.points == expected
    assert not (tmp_path / "w" / "rejected").exists()


def _more_then_send(folder: Path, server: LedgerModel) -> None:
    _, writer = write(folder, random.Random(4), 2)
    writer.close()
    send_all(drain_of(folder, server))


def test_a_server_that_was_set_back_is_sent_the_rest_under_its_numbers(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    server = LedgerModel()
    drain = drain_of(tmp_path / "w", server)
    for i in range(5):
        writer.append(encode(Points(i, float(i), {"a": 1.0})))
        send_all(drain)
    server.last_seq["w1"] = 2
    writer.append(encode(Points(9, 9.0, {"a": 9.0})))
    writer.close()
    send_all(drain)
    assert server.points[("a", 9.0, 9, 9.0)] == 1
    assert server.last_seq["w1"] == 3


def test_ends_reopenings_and_artifacts_keep_their_place(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    (tmp_path / "w" / "artifacts").mkdir()
    (tmp_path / "w" / "artifacts" / "f1").write_bytes(b"model")
    writer.append(encode(Reopen(1)))
    writer.append(encode(Artifact(2, "f1", "model.pt", "best", 5)))
    writer.append(encode(Artifact(3, "gone", "lost.pt", None, 5)))
    writer.append(encode(End(4, "failed")))
    writer.append(b"\x93\x63\x01\x02")  # a kind that a later version may have
    writer.append(encode(Points(5, 1.0, {"late": 1.0})))
    writer.close()
    server = LedgerModel()
    drain = drain_of(tmp_path / "w", server)
    send_all(drain)
    assert (server.status[RUN], server.artifacts) == ("failed", {"best/model.pt": b"model"})
    assert server.points.total() == 1
    reasons = (tmp_path / "w" / "rejected" / "w1.jsonl").read_text()
    assert drain.cursor.rejected == 2
    assert "lost.pt" in reasons
    assert "newer gnomon-sdk" in reasons


def test_one_record_larger_than_a_batch_is_divided(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER)
    writer.append(encode(Points(1, 1.0, {f"m{i}": float(i) for i in range(50_000)})))
    writer.append(encode(Params(1, {f"p{i}": "x" for i in range(12_000)})))
    writer.close()
    server = LedgerModel()
    server.most_keys = 50_000
    send_all(drain_of(tmp_path / "w", server))
    assert (len(server.points), len(server.params)) == (50_000, 12_000)


def test_damage_in_a_dead_spool_is_kept_and_the_rest_is_sent(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "w", HEADER, segment_bytes=500)
    for i in range(60):
        writer.append(encode(Points(i, float(i), {"a": float(i)})))
    writer.close()
    numbers = segments(tmp_path / "w")
    path = segment_path(tmp_path / "w", numbers[1])
    data = bytearray(path.read_bytes())
    data[-40] ^= 0xFF
    path.write_bytes(data)
    server = LedgerModel()
    drain = drain_of(tmp_path / "w", server)
    send_all(drain)
    assert drain.close_dead("goes on")
    assert 50 < server.points.total() < 60
    assert ("a", 59.0, 59, 59.0) in server.points
    assert [each.suffix for each in (tmp_path / "w").iterdir()] == [".damaged"]


def test_a_cursor_that_cannot_be_read_stops_the_sending(tmp_path: Path) -> None:
    _, writer = write(tmp_path / "w", random.Random(3), 5)
    writer.close()
    (tmp_path / "w" / "cursor").write_bytes(b"{")
    with pytest.raises(SpoolDamaged, match="nothing of it is sent"):
        drain_of(tmp_path / "w", LedgerModel())


def test_a_dead_writer_ends_its_run_as_killed_only_when_it_may(tmp_path: Path) -> None:
    cases: list[tuple[Fate, bool, str | None, bool]] = [
        ("ended", True, "killed", True),
        ("goes on", True, None, True),
        ("unknown", True, None, False),
        ("ended", False, None, True),
        ("unknown", False, None, True),
    ]
    for fate, is_primary, expected, is_removed in cases:
        folder = tmp_path / RUN / f"{fate}{is_primary}"
        fields = {name: getattr(HEADER, name) for name in HEADER.__struct_fields__}
        header = Header(**(fields | {"is_primary": is_primary}))
        writer = SpoolWriter(folder, header)
        writer.append(encode(Points(7, 1.0, {"a": 1.0})))
        writer.close()
        server = LedgerModel()
        drain = drain_of(folder, server)
        send_all(drain)
        assert drain.close_dead(fate) is is_removed
        assert (server.status[RUN], folder.exists()) == (expected, not is_removed)


def test_the_uploader_sends_for_a_dead_child_of_its_run(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    expected, child = write(root / RUN / "w0", random.Random(5), 30, header=OTHER)
    child.close()
    mine = SpoolWriter(root / RUN / "w1", HEADER)
    server = LedgerModel()
    uploader = Uploader(mine, server, root=root)
    uploader.start()
    mine.append(encode(Points(1, 1.0, {"own": 1.0})))
    mine.append(encode(End(2, "finished")))
    mine.stop()
    assert uploader.close(60)
    assert server.points == expected + Counter({("own", 1.0, 1, 1.0): 1})
    assert server.status[RUN] == "finished"
    assert find_folders(root) == []


@pytest.mark.parametrize("is_offline", [False, True])
def test_the_uploader_sends_what_an_earlier_job_left_unless_that_was_offline(tmp_path: Path, is_offline: bool) -> None:
    fields = {name: getattr(HEADER, name) for name in HEADER.__struct_fields__}
    earlier = Header(**(fields | {"run": "e" * 32, "writer": "w9", "is_offline": is_offline}))
    elsewhere = Header(**(fields | {"run": "f" * 32, "writer": "w8", "url": "http://other"}))
    expected, dead = write(tmp_path / earlier.run / "w9", random.Random(6), 30, header=earlier)
    dead.close()
    write(tmp_path / elsewhere.run / "w8", random.Random(7), 30, header=elsewhere)[1].close()
    mine = SpoolWriter(tmp_path / RUN / "w1", HEADER)
    server = LedgerModel()
    uploader = Uploader(mine, server, root=tmp_path)
    while uploader._adopts_all:
        uploader._adopt_at = 0.0
        uploader._round(0)
    assert server.points == (Counter() if is_offline else expected)
    assert server.status == ({} if is_offline else {earlier.run: "killed"}) | {RUN: None}
    assert (tmp_path / earlier.run).exists() is is_offline
    assert (tmp_path / elsewhere.run / "w8").exists()
    mine.close()


def test_who_waits_for_this_run_does_not_wait_for_earlier_ones(tmp_path: Path) -> None:
    fields = {name: getattr(HEADER, name) for name in HEADER.__struct_fields__}
    earlier = Header(**(fields | {"run": "e" * 32, "writer": "w9"}))
    write(tmp_path / earlier.run / "w9", random.Random(6), 30, header=earlier)[1].close()
    mine = SpoolWriter(tmp_path / RUN / "w1", HEADER)
    server = LedgerModel()
    uploader = Uploader(mine, server, root=tmp_path)
    mine.append(encode(Points(1, 1.0, {"own": 1.0})))
    uploader._asked = 1  # somebody flushes
    uploader._round(1)
    assert server.points == Counter({("own", 1.0, 1, 1.0): 1})
    assert (uploader._answered, uploader._adopts_all) == (1, True)
    mine.close()


def test_without_a_server_the_spool_stays_and_may_be_adopted(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER)
    writer.append(encode(Points(1, 1.0, {"a": 1.0})))
    uploader = Uploader(writer, None, root=tmp_path)
    uploader.start()
    assert uploader.flush(60)
    writer.stop()
    assert uploader.close(60)
    adopted = adopt(tmp_path / RUN / "w")
    assert adopted is not None
    adopted.release()
    assert load_cursor(tmp_path / RUN / "w").seq == 0


def test_waiting_grows_with_jitter_and_honours_retry_after(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER)
    now = [100.0]
    uploader = Uploader(writer, LedgerModel(), root=tmp_path, jitter=lambda: 1.0, clock=lambda: now[0])
    waits = []
    for _ in range(12):
        uploader._back_off(0.0)
        waits.append(uploader._not_before - now[0])
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_WAIT_SECS
    uploader._back_off(300.0)
    assert uploader._not_before - now[0] >= 300.0
    writer.close()


def test_a_flush_gives_up_when_its_time_is_over(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER)
    server = LedgerModel()
    entered, leave = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        leave.wait()

    server._arrive = hang  # type: ignore[method-assign]
    uploader = Uploader(writer, server, root=tmp_path)
    uploader.start()
    assert not uploader.flush(0.05)
    entered.wait()
    leave.set()
    assert uploader.flush(60)
    writer.stop()
    assert uploader.close(60)
