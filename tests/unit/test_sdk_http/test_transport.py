"""How the client behaves on a bad network: what it sends again, how long it waits, and what it then says."""

import socket
from collections.abc import Callable

import msgspec
import pytest

import gnomon
from gnomon.client.transport import LONGEST_WAIT_SECS, Transport
from gnomon.settings import Settings
from gnomon.wire import MetricEntry, Problem

from .scripted import Answer, Serve


def problem(status: int, code: str, detail: str = "no") -> Answer:
    body = msgspec.json.encode(Problem(type="about:blank", title="x", status=status, detail=detail, code=code))
    return Answer(status, body, {"Content-Type": "application/problem+json"})


def run_answer() -> Answer:
    return Answer(
        body=b'{"id":"r1","experiment_id":"e1","name":"a","description":"","status":"running","lifecycle_stage":'
        b'"active","start_time":"2026-01-01T00:00:00.000Z","end_time":null,"duration_ms":null,"artifact_uri":"x",'
        b'"params":{"p":"NaN"},"metrics":{"a":"NaN","b":"-Infinity","c":1},"tags":{"t":"null"},"created_by":"me"}'
    )


def logged(count: int = 1) -> Answer:
    return Answer(body=b'{"run_id":"r1","metrics":%d}' % count)


def test_a_read_is_sent_again_when_the_server_is_busy(serve: Serve) -> None:
    client, script, waits = serve(
        problem(503, "unavailable"), Answer(503, b"<html>"), problem(429, "slow"), run_answer()
    )
    assert client.runs.get("r1").id == "r1"
    assert len(script.asked) == 4
    assert waits == [0.25, 0.5, 1.0]


def test_the_wait_is_never_shorter_than_retry_after(serve: Serve) -> None:
    busy = problem(503, "unavailable")
    busy.headers["Retry-After"] = "7"
    client, _, waits = serve(busy, run_answer())
    client.runs.get("r1")
    assert waits == [7.25]


def test_a_wait_too_long_is_told_instead_of_slept(serve: Serve) -> None:
    busy = problem(503, "unavailable", "the disk is full")
    busy.headers["Retry-After"] = str(int(LONGEST_WAIT_SECS) + 1)
    client, script, waits = serve(busy)
    with pytest.raises(gnomon.ServerBusy) as caught:
        client.runs.get("r1")
    assert (caught.value.retry_after_secs, str(caught.value)) == (LONGEST_WAIT_SECS + 1, "the disk is full")
    assert (len(script.asked), waits) == (1, [])


def test_after_five_attempts_the_refusal_is_raised(serve: Serve) -> None:
    client, script, _ = serve(problem(503, "unavailable"))
    with pytest.raises(gnomon.ServerBusy):
        client.runs.get("r1")
    assert len(script.asked) == 5


def test_a_run_is_made_again_only_when_the_server_says_that_it_kept_nothing(serve: Serve) -> None:
    client, script, _ = serve(problem(503, "unavailable"), run_answer())
    client.runs.create("e1")
    assert len(script.asked) == 2

    client, script, _ = serve(Answer(503, b"a proxy's page"), run_answer())
    with pytest.raises(gnomon.ServerBusy, match="address of a Gnomon server"):
        client.runs.create("e1")
    assert len(script.asked) == 1


def test_a_run_is_not_made_again_when_the_answer_is_lost(serve: Serve) -> None:
    client, script, _ = serve(Answer(cut_after=-1), run_answer())
    with pytest.raises(gnomon.ConnectionFailed, match="may or may not have done it"):
        client.runs.create("e1")
    assert len(script.asked) == 1


def test_points_are_sent_again_as_the_same_points(serve: Serve) -> None:
    client, script, _ = serve(Answer(cut_after=-1), logged())
    client.runs.log_metrics("r1", {"a": 1.0})
    first, second = script.asked
    assert first.body == second.body
    assert msgspec.json.decode(first.body)["timestamp"] > 0, "with a time of its own it is kept once"

    client, script, _ = serve(Answer(cut_after=-1), Answer(body=b'{"run_id":"r1","metrics":2,"params":0,"tags":0}'))
    client.runs.log_batch("r1", metrics=[MetricEntry("a", 1.0), MetricEntry("a", float("nan"), 2, timestamp=7)])
    first, second = script.asked
    assert first.body == second.body
    stamped, given = msgspec.json.decode(first.body)["metrics"]
    assert stamped["timestamp"] > 7
    assert (given["timestamp"], given["value"]) == (7, "NaN")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.runs.get("r1"),
        lambda client: client.runs.end("r1"),
        lambda client: client.runs.archive("r1"),
        lambda client: client.runs.restore("r1"),
        lambda client: client.runs.update("r1", name="b"),
    ],
)
def test_what_sets_rather_than_adds_is_sent_again_when_the_answer_is_lost(
    serve: Serve, call: Callable[[gnomon.Client], object]
) -> None:
    client, script, _ = serve(Answer(cut_after=-1), run_answer())
    call(client)
    assert len(script.asked) == 2


def test_a_server_that_is_not_there_is_said_so_with_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        waits: list[float] = []
        client = gnomon.Client(transport=Transport(Settings(url=url), sleep=waits.append))
        with pytest.raises(gnomon.ConnectionFailed, match="start one with `gnomon server`"):
            client.runs.log_metrics("r1", {"a": 1.0})
    assert len(waits) == 4, "a request that never left may be sent again, whatever it is"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", gnomon.InvalidRequest),
        (400, "already_exists", gnomon.AlreadyExists),
        (400, "param_conflict", gnomon.ParamConflict),
        (401, "unauthenticated", gnomon.Unauthenticated),
        (403, "tenant_access_denied", gnomon.AccessDenied),
        (404, "run_not_found", gnomon.NotFound),
        (413, "too_large", gnomon.TooLarge),
        (415, "unsupported_media_type", gnomon.ApiError),
        (500, "internal", gnomon.ServerFault),
    ],
)
def test_a_problem_becomes_its_exception(serve: Serve, status: int, code: str, kind: type[gnomon.ApiError]) -> None:
    body = {"type": "t", "title": "T", "status": status, "detail": "do this", "code": code, "request_id": "q7"}
    body["errors"] = [{"field": "metrics[3].value", "message": "is no number"}]
    client, script, _ = serve(Answer(status, msgspec.json.encode(body)))
    with pytest.raises(gnomon.ApiError) as caught:
        client.runs.get("r1")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.request_id) == (status, code, "do this", "q7")
    assert [(each.field, each.message) for each in error.errors] == [("metrics[3].value", "is no number")]
    assert len(script.asked) == 1, "an answer that will not change is not asked for again"


def test_an_answer_of_something_else_is_said_to_be_that(serve: Serve) -> None:
    client, _, _ = serve(Answer(200, b"<html>hello</html>"))
    with pytest.raises(gnomon.GnomonError, match=r"is http://127.0.0.1:[0-9]+ the right address"):
        client.runs.get("r1")


def test_a_redirect_is_not_followed_with_the_key(serve: Serve) -> None:
    client, script, _ = serve(Answer(307, b"", {"Location": "http://example.invalid/"}), api_key="secret")
    with pytest.raises(gnomon.ApiError) as caught:
        client.runs.get("r1")
    assert caught.value.status == 307
    assert len(script.asked) == 1


def test_key_and_tenant_travel_in_headers_and_ids_stay_one_segment(serve: Serve) -> None:
    client, script, _ = serve(run_answer(), api_key="secret", tenant="team-a")
    client.runs.get("../experiments?x#y")
    asked = script.asked[0]
    assert asked.headers["authorization"] == "Bearer secret"
    assert asked.headers["x-tenant-id"] == "team-a"
    assert asked.target == "/api/v1/experiments/runs/..%2Fexperiments%3Fx%23y"
    assert "secret" not in repr(client.settings) + repr(client)


def test_numbers_come_back_as_doubles_and_text_as_text(serve: Serve) -> None:
    client, _, _ = serve(run_answer())
    run = client.runs.get("r1")
    assert run.metrics["a"] != run.metrics["a"]
    assert run.metrics["b"] == float("-inf")
    assert (run.params, run.tags) == ({"p": "NaN"}, {"t": "null"})


def test_non_finite_values_are_sent_by_name(serve: Serve) -> None:
    client, script, _ = serve(logged())
    client.runs.log_metrics("r1", {"a": float("nan"), "b": float("-inf"), "c": 0.5}, step=2, timestamp=9)
    assert msgspec.json.decode(script.asked[0].body) == {
        "metrics": {"a": "NaN", "b": "-Infinity", "c": 0.5},
        "step": 2,
        "timestamp": 9,
    }
