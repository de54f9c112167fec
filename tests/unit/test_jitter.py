"""A retry leaves the script's own random numbers alone."""

import os
import random
from collections.abc import Callable
from inspect import signature

import pytest

from gnomon.carrier import Carrier
from gnomon.client.transport import Transport
from gnomon.jitter import own_random
from gnomon.uploader import Uploader


@pytest.mark.parametrize("kind", [Carrier, Transport, Uploader])
def test_a_wait_draws_nothing_from_the_generator_of_the_script(kind: Callable[..., object]) -> None:
    jitter = signature(kind).parameters["jitter"].default
    before = random.getstate()
    drawn = {jitter() for _ in range(100)}
    assert random.getstate() == before
    assert len(drawn) == 100
    assert all(0 <= number < 1 for number in drawn)


def test_a_fork_draws_other_numbers() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(own_random()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert float(os.read(reader, 100)) != own_random()
    os.close(reader)
    os.close(writer)
