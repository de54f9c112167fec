"""Ids: UUIDv7 as 32 hex digits, in the order they were made, unlike under threads and after a fork."""

import os
import threading
import time
from uuid import UUID

import pytest

from gnomon_server.model import ids
from gnomon_server.model.ids import is_uid, new_uid


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_uid())
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= after + 1


def test_ids_of_one_process_sort_as_they_were_made() -> None:
    made = [new_uid() for _ in range(20_000)]  # more than 4,096 in a millisecond: the counter runs over
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_do_not_go_back_when_the_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    first = new_uid()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now - 3_600 * 10**9)
    assert first < new_uid() < new_uid()


def test_the_random_part_is_random() -> None:
    tails = {new_uid()[16:] for _ in range(2_000)}
    assert len(tails) == 2_000
    ones = sum((int(tail, 16) & ((1 << 62) - 1)).bit_count() for tail in tails)
    assert 0.48 < ones / (2_000 * 62) < 0.52


def test_threads_make_different_ids() -> None:
    made: list[list[str]] = [[] for _ in range(8)]

    def make(into: list[str]) -> None:
        into.extend(new_uid() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({uid for one in made for uid in one}) == 16_000
    assert all(one == sorted(one) for one in made)


def test_a_forked_child_does_not_hand_out_its_parents_ids() -> None:
    new_uid()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, "".join(new_uid()[20:] for _ in range(50)).encode())
        os._exit(0)
    os.close(writer)
    mine = {new_uid()[20:] for _ in range(50)}
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    theirs = {text[at : at + 12] for at in range(0, len(text), 12)}
    assert len(theirs) == 50
    assert not mine & theirs


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0" * 31,
        "0" * 33,
        "F" * 32,
        "0" * 31 + "g",
        "0" * 32 + "\n",
        " " + "0" * 31,
        "٠" * 32,
        "../../etc/passwd",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_uid(text)


def test_every_id_that_is_made_is_one() -> None:
    assert all(is_uid(new_uid()) for _ in range(100))
    assert is_uid("0" * 32)
    assert is_uid("f" * 32)
