"""What every import stands on: a run written once however often it is begun again, and sums that see every change."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.server_process import ServerProcess

from gnomon.client import Client
from gnomon.importing import destination as module
from gnomon.importing.destination import Destination, run_id_for
from gnomon.importing.report import LeftOut, SeriesDigest, check_run, read_sums, report_of
from gnomon.wire import MetricEntry, RunBegin

START = 1_700_000_000_000


def quietly(points: int) -> None:
    pass


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[Client]:
    with Client(server.base_url, tenant=tenant) as client:
        yield client


def begun(client: Client, tenant: str) -> Destination:
    destination = Destination(client, run_id_for("a log", tenant, start_ms=START), progress=quietly)
    destination.begin(RunBegin(experiment="imported", name="a log", start_time=START))
    return destination


def write(destination: Destination, file: str, points: int) -> None:
    writer = destination.points(file)
    for n in range(points):
        writer.add("loss", n, START + n, 1 / (n + 1))
        writer.add("odd", n / 2, START, (math.nan, math.inf, -0.0, 5e-324)[n % 4])
    writer.flush()


def digest(*points: tuple[float, int, float]) -> SeriesDigest:
    made = SeriesDigest()
    for point in points:
        made.add(*point)
    return made


def test_an_import_is_equal_at_both_ends(client: Client, tenant: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\0\1" * 1000)
    to = begun(client, tenant)
    write(to, "file 1", 300)
    to.texts(params={"lr": "0.1"}, tags={"team": "risk"})
    to.file("models/model.bin", tmp_path / "model.bin")
    to.file("notes.txt", b"hello")
    to.end("failed", START + 5_000)
    checked = check_run(client, to.run_id, to.expected, source="a log", sent=to.sent, progress=quietly)
    assert checked.equal
    assert (checked.sent, checked.points, checked.params.count, checked.tags.count) == (600, 600, 1, 1)
    assert [(each.key, each.server.points, each.server.nonfinite) for each in checked.series] == [
        ("loss", 300, 0),
        ("odd", 300, 150),
    ]
    assert checked.series[0].server.total == math.fsum(1 / (n + 1) for n in range(300))
    run = client.runs.get(to.run_id)
    assert (run.status, run.start_time, run.duration_ms) == ("failed", "2023-11-14T22:13:20.000Z", 5_000)
    report = report_of("test", "a log", "imported", [checked], LeftOut())
    assert (report.equal, report.points, report.files) == (True, 600, 2)


def test_begun_again_after_any_batch_nothing_is_lost_or_doubled(
    client: Client, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_POINTS", 7)
    for points in (1, 20, 20, 33):  # broken off, broken off, repeated, grown
        to = begun(client, tenant)
        write(to, "file 1", points)
        write(to, "file 2", points // 2)
    checked = check_run(client, to.run_id, to.expected, source="a log", sent=to.sent, progress=quietly)
    assert checked.equal
    assert checked.points == 2 * (33 + 16)
    assert to.sent == 2 * (33 - 20) + 2 * (16 - 10)


def test_a_point_that_only_the_server_has_is_noticed(client: Client, tenant: str) -> None:
    to = begun(client, tenant)
    write(to, "file 1", 10)
    client.runs.log_batch(to.run_id, metrics=[MetricEntry("loss", 0.5, 99, START)])
    checked = check_run(client, to.run_id, to.expected, source="a log", sent=to.sent, progress=quietly)
    assert not checked.equal
    assert [each.equal for each in checked.series] == [False, True]


def test_a_param_with_another_value_a_missing_file_and_tag_are_named(client: Client, tenant: str) -> None:
    to = begun(client, tenant)
    client.runs.log_params(to.run_id, {"lr": "0.2"})
    to.texts(params={"lr": "0.1", "seed": "1"}, tags={})
    to.expected.tags["lost"] = "yes"
    to.expected.files["lost.txt"] = (1, "0" * 64)
    checked = check_run(client, to.run_id, to.expected, source="a log", sent=to.sent, progress=quietly)
    assert (checked.params.unequal, checked.tags.unequal) == (["lr"], ["lost"])
    assert (checked.files[0].server, checked.equal) == (None, False)


def test_series_of_any_size_are_read_whole_in_requests_of_bounded_size(client: Client, tenant: str) -> None:
    to = begun(client, tenant)
    writer = to.points("file")
    for n in range(2_500):
        for key in ("a", "b" * 250, f"one/{n % 50}"):
            writer.add(key, n, START + n, n / 7)
    writer.flush()
    seen: list[int] = []
    sizes = dict.fromkeys(to.expected.series, 1)  # far too small: pages follow until nothing is left
    sums = read_sums(client, to.run_id, sizes, progress=seen.append)
    assert sums == {key: each.sum() for key, each in to.expected.series.items()}
    assert sum(seen) == 7_500


def test_a_digest_does_not_depend_on_order_and_sees_every_bit() -> None:
    points = [(1, 5, 0.1), (2, 5, math.nan), (2, 5, -0.0), (2, 5, 1e308), (3, 5, 1e308), (4, 6, -1e308), (4, 6, 0.25)]
    base = digest(*points).sum()
    assert digest(*reversed(points)).sum() == base
    assert (base.points, base.nonfinite, base.total) == (7, 1, 1e308)
    for n, (step, time_ms, value) in enumerate(points):
        for changed in ((step + 1, time_ms, value), (step, time_ms + 1, value), (step, time_ms, value + 1e300)):
            if not math.isnan(value) or changed[2] is value:
                assert digest(*points[:n], changed, *points[n + 1 :]).sum().sha256 != base.sha256
        assert digest(*points[:n], *points[n + 1 :]).sum().sha256 != base.sha256
        assert digest(*points, points[n]).sum().sha256 != base.sha256
    assert digest((0, 0, -0.0)).sum().sha256 != digest((0, 0, 0.0)).sum().sha256
    assert digest((0.0, 0, 1)).sum() == digest((-0.0, 0, 1)).sum()
    assert digest((0, 0, 1.7e308), (1, 0, 1.7e308)).sum().total == math.inf
    assert digest((0, 0, 5e-324)).sum().total == 5e-324


def test_the_id_of_a_run_is_a_uuid_of_version_7_made_of_its_source_alone() -> None:
    made = run_id_for("a", "b", start_ms=START)
    assert made == run_id_for("a", "b", start_ms=START)
    assert made != run_id_for("a\0b", start_ms=START + 1)
    assert (int(made[:12], 16), made[12], made[16] in "89ab", len(made)) == (START, "7", True, 32)
