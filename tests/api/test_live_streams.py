"""Inside live streams: what gathers is bounded, a watch wakes once, who is slow is reset, silence has a heartbeat."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.support.server_process import chosen_database

from gnomon_server.api.native.live import encode_news
from gnomon_server.api.streams import LiveStreams
from gnomon_server.app import Server, open_server
from gnomon_server.core import live as core_live
from gnomon_server.core.access import Principal
from gnomon_server.core.live import Live, Touched
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import Experiment
from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.settings import Settings

TENANT = TenantId(1)
PLACE = (TENANT, RowId(1))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    home = tmp_path / "home"
    opened = open_server(Settings(home=str(home), database=chosen_database(home)))
    yield opened
    opened.close()


@pytest.fixture
def principal(server: Server) -> Principal:
    return server.services.access.principal("lab")


@pytest.fixture
def experiment(server: Server, principal: Principal) -> Experiment:
    return server.services.experiments.create(principal, name="a", description="", artifact_location=None, tags={})


@pytest.fixture
def live(server: Server) -> Live:
    return server.services.streams.live


def run_change(run: int) -> Change:
    return Change("run", TENANT, RowId(1), RowId(run))


def points(run: int, keys: range) -> Change:
    return Change("points", TENANT, RowId(1), RowId(run), [KeyId(key) for key in keys])


def test_what_gathers_is_told_together_and_bounded() -> None:
    touched = Touched()
    for run in range(core_live.MAX_RUNS):
        touched.add(run_change(run))
        touched.add(points(run, range(2)))
    touched.add(points(0, range(1, 4)))
    assert (touched.is_everything, len(touched.runs)) == (False, core_live.MAX_RUNS)
    assert touched.points[RowId(0)] == {0, 1, 2, 3}
    touched.add(run_change(core_live.MAX_RUNS))
    assert touched.is_everything
    touched.add(points(1, range(2)))
    assert not touched.runs | touched.points.keys()


def test_a_run_past_so_many_keys_is_told_as_a_whole() -> None:
    touched = Touched()
    touched.add(points(1, range(core_live.MAX_KEYS_A_RUN)))
    assert touched.points[RowId(1)] == set(range(core_live.MAX_KEYS_A_RUN))
    touched.add(points(1, range(core_live.MAX_KEYS_A_RUN, core_live.MAX_KEYS_A_RUN + 1)))
    touched.add(points(1, range(2)))
    assert touched.points == {RowId(1): None}


def test_a_watch_wakes_once_between_two_looks(live: Live, principal: Principal, experiment: Experiment) -> None:
    woken: list[str] = []
    watch = live.watch(principal, experiment, lambda: woken.append("woken"))
    mine = Change("run", principal.tenant, experiment.row, RowId(1))
    for _ in range(1000):
        live.publish([mine])
    assert woken == ["woken"]
    touched, revision = watch.take()
    assert (touched.runs, revision) == ({1}, live.revision)
    live.publish([mine])
    assert woken == ["woken"] * 2
    live.publish([Change("run", TenantId(99), experiment.row, RowId(1)), Change("run", principal.tenant, RowId(99))])
    watch.take()
    watch.close()
    live.publish([mine])
    assert woken == ["woken"] * 2
    assert not watch.take()[0].runs


def test_the_journal_knows_what_changed_back_to_its_bound(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_live, "_JOURNAL_RUNS", 3)
    start = live.revision
    for run in (1, 2, 3, 1):
        live.publish([run_change(run)])
    changed, revision = live.since(PLACE, start + 1)
    assert (changed.runs, changed.points, revision) == ({1, 2, 3}, {1: None, 2: None, 3: None}, start + 4)
    assert live.since(PLACE, start + 3)[0].runs == {1}
    assert live.since(PLACE, start + 4)[0].runs == set()
    live.publish([run_change(4)])
    assert live.since(PLACE, start + 2)[0].runs == {1, 3, 4}
    assert live.since(PLACE, start + 1)[0].is_everything
    assert live.since(PLACE, start + 6)[0].is_everything
    assert live.since((TENANT, RowId(2)), start + 4)[0].runs == set()
    live.publish([Change("runs", TENANT, RowId(1))])
    assert live.since(PLACE, start + 5)[0].is_everything


def test_a_silent_stream_says_that_it_is_there(live: Live, principal: Principal, experiment: Experiment) -> None:
    streams = LiveStreams(live, encode_news, most=1, heartbeat_secs=0.01)

    async def listen() -> list[bytes]:
        async with aclosing(streams.listen(principal, experiment, None)) as chunks:
            return [await anext(chunks) for _ in range(4)]

    first, *rest = asyncio.run(listen())
    assert first.startswith(b"retry: 2000\nevent: experiment\n")
    assert rest == [b": still here\n\n"] * 3
    assert streams.count == 0


def test_a_listener_that_falls_behind_is_reset_and_goes_on(
    server: Server, live: Live, principal: Principal, experiment: Experiment
) -> None:
    streams = LiveStreams(live, encode_news, most=2, pace_secs=0, queued_bytes=2_000)
    runs = server.services.runs

    def begin(name: str) -> None:
        runs.create(principal, experiment_uid=experiment.uid, name=name, description="", tags={})

    async def listen() -> tuple[bytes, bytes, bytes]:
        async with (
            aclosing(streams.listen(principal, experiment, None)) as slow,
            aclosing(streams.listen(principal, experiment, None)) as quick,
        ):
            await anext(slow)
            await anext(quick)
            seen = b""
            for number in range(20):
                await asyncio.to_thread(begin, f"run-{number}")
                seen += await until(quick, b'"name":"run-%d"' % number)
            told = await anext(slow)
            await asyncio.to_thread(begin, "last")
            return seen, told, await until(slow, b'"name":"last"')

    seen, told, after = asyncio.run(listen())
    assert seen.count(b"event: run\n") == 20
    assert b"event: reset\n" not in seen
    assert told.startswith(b"event: reset\n")
    assert len(told) <= 2_000 + 1_000
    assert b"event: run\n" in after


async def until(chunks: AsyncIterator[bytes], wanted: bytes) -> bytes:
    seen = b""
    async for chunk in chunks:
        seen += chunk
        if wanted in seen:
            break
    return seen


def test_listeners_of_one_experiment_share_its_watch_and_leave_nothing(
    live: Live, principal: Principal, experiment: Experiment
) -> None:
    streams = LiveStreams(live, encode_news, most=2)

    async def listen() -> None:
        first, second = (streams.listen(principal, experiment, None) for _ in range(2))
        await anext(first)
        await anext(second)
        assert (streams.count, watches(live)) == (2, 1)
        with pytest.raises(Unavailable):
            streams.refuse_one_more()
        await first.aclose()
        streams.refuse_one_more()
        assert (streams.count, watches(live)) == (1, 1)
        await second.aclose()
        assert (streams.count, watches(live)) == (0, 0)
        third = streams.listen(principal, experiment, None)
        await anext(third)
        streams.close()
        assert [chunk async for chunk in third] == []
        assert (streams.count, watches(live)) == (0, 0)
        with pytest.raises(Unavailable):
            streams.refuse_one_more()

    asyncio.run(listen())


def watches(live: Live) -> int:
    return sum(len(found) for found in live._watches.values())


def test_a_stream_that_cannot_be_read_ends_and_the_next_one_works(
    server: Server, live: Live, principal: Principal, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = LiveStreams(live, encode_news, most=2)

    def begin() -> None:
        server.services.runs.create(principal, experiment_uid=experiment.uid, name=None, description="", tags={})

    async def listen() -> None:
        broken = streams.listen(principal, experiment, None)
        await anext(broken)
        with monkeypatch.context() as patched:
            patched.setattr(Live, "read", fail)
            await asyncio.to_thread(begin)
            assert b"event:" not in b"".join([chunk async for chunk in broken])
        async with aclosing(streams.listen(principal, experiment, None)) as chunks:
            await anext(chunks)
            await asyncio.to_thread(begin)
            assert b"event: run\n" in await anext(chunks)

    asyncio.run(listen())


def fail(*_: object) -> None:
    raise OSError("the disk is gone")
