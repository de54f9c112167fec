"""Rules: what makes each kind fire, that it fires once, and what it does then."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.support.receiver import Receiver
from tests.support.server_process import ServerProcess

from gnomon.cli import cli
from gnomon_server.model.rules import RuleContent, Summary, judge

Json = dict[str, Any]


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("watching") / "home"
    running = ServerProcess(home, env={"GNOMON_EGRESS_ALLOW": "127.0.0.1"}).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture
def api(watching: ServerProcess, tenant: str) -> Iterator[httpx.Client]:
    with watching.client(tenant) as client:
        yield client


class World:
    """An experiment with rules."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api
        self.experiment: str = api.post("/experiments", json={"name": "fraud"}).json()["id"]
        self.rules = f"/experiments/{self.experiment}/rules"

    def rule(self, kind: str, **content: Any) -> str:
        answer = self.api.post(self.rules, json={"name": kind, "kind": kind, **content})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == f"/api/v1{self.rules}/{answer.json()['id']}"
        return str(answer.json()["id"])

    def run(self, **body: Any) -> str:
        return str(self.api.post("/experiments/runs", json={"experiment_id": self.experiment, **body}).json()["id"])

    def log(self, run: str, step: float = 0, **metrics: float | str) -> None:
        answer = self.api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": metrics, "step": step})
        assert answer.status_code == 200, answer.text

    def events(self, run: str) -> list[str]:
        return [each["message"] for each in self.api.get(f"/experiments/runs/{run}/events").json()["events"]]

    def firings(self, rule: str) -> list[Json]:
        found: list[Json] = self.api.get(f"{self.rules}/{rule}/firings").json()["firings"]
        return found

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def settle(self) -> None:
        """Until what was logged before this has been looked at: a rule made for this run fires."""
        marker = self.rule("threshold", metric="settled", value=0)
        run = self.run()
        self.log(run, settled=1)
        self.wait(lambda: bool(self.firings(marker)))
        self.api.delete(f"{self.rules}/{marker}")


@pytest.fixture
def world(api: httpx.Client) -> World:
    return World(api)


def test_a_threshold_fires_once_until_it_is_cleared(world: World) -> None:
    rule = world.rule("threshold", name="loss is high", metric="loss", value=10)
    run, other = world.run(name="a run"), world.run()
    world.log(run, loss=9.9)
    world.log(other, loss=10)
    world.settle()
    assert world.firings(rule) == []
    world.log(run, step=1, loss=11)
    world.wait(lambda: world.events(run) == ["loss is high: last of loss is 11 (> 10)"])
    world.log(run, step=2, loss=12)
    world.settle()
    (firing,) = world.firings(rule)
    assert (firing["run_id"], firing["run_name"], firing["cleared_at"]) == (run, "a run", None)
    assert world.events(other) == []
    cleared = world.api.post(f"{world.rules}/{rule}/firings/{run}/clear")
    assert cleared.json() == {"rule_id": rule, "run_id": run}
    world.log(run, step=3, loss=13)
    world.wait(lambda: len(world.events(run)) == 2)


def test_nan_is_found_in_any_metric_and_told_again_only_when_there_is_more(world: World) -> None:
    rule = world.rule("nonfinite")
    run = world.run()
    world.log(run, loss="NaN", fine=1)
    world.wait(lambda: world.events(run) == ["nonfinite: NaN or infinity in loss"])
    world.api.post(f"{world.rules}/{rule}/firings/{run}/clear")
    world.log(run, step=1, fine=2)
    world.settle()
    assert len(world.events(run)) == 1
    world.log(run, step=2, grad="Infinity")
    world.wait(lambda: len(world.events(run)) == 2)


def test_no_progress_counts_steps_from_the_best(world: World) -> None:
    world.rule("no_progress", metric="loss", steps=100)
    run = world.run()
    world.log(run, step=50, loss=0.5)
    world.log(run, step=149, loss=0.9)
    world.settle()
    assert world.events(run) == []
    world.log(run, step=150, loss=0.6)
    world.wait(lambda: world.events(run) == ["no_progress: loss has not improved for 100 steps (best 0.5)"])


def test_silence_and_standstill_are_counted_by_the_clock(world: World) -> None:
    quiet, stalled, busy = world.run(), world.run(), world.run()
    ended = world.run()
    world.api.post(f"/experiments/runs/{ended}/end")
    silent = world.rule("silent", minutes=0.05, end_run=True)
    no_progress = world.rule("no_progress", metric="loss", direction="max", minutes=0.05)
    step = 0.0

    def keep_busy() -> bool:
        nonlocal step
        step += 1
        world.log(stalled, step=step, loss=1.0)
        world.log(busy, step=step, loss=step)
        return bool(world.firings(silent)) and bool(world.firings(no_progress))

    world.wait(keep_busy)
    assert [each["run_id"] for each in world.firings(silent)] == [quiet]
    assert [each["run_id"] for each in world.firings(no_progress)] == [stalled]
    assert world.api.get(f"/experiments/runs/{quiet}").json()["status"] == "killed"
    assert world.api.get(f"/experiments/runs/{ended}").json()["status"] == "finished"


def test_a_rule_tags_the_run_and_tells_its_webhook(world: World) -> None:
    named, other = Receiver("127.0.0.1"), Receiver("127.0.0.1")
    hooks = []
    for receiver in (named, other):
        body = {"name": "w", "url": f"http://127.0.0.1:{receiver.port}/", "events": ["rule.fired"]}
        hooks.append(world.api.post("/webhooks", json=body).json()["webhook"]["id"])
    world.rule("threshold", name="high", metric="loss", value=1, tags={"state": "diverged"}, webhook_id=hooks[0])
    run = world.run()
    world.log(run, loss=2)
    world.wait(lambda: bool(named.requests))
    told = json.loads(named.requests[0].partition(b"\r\n\r\n")[2])
    assert told["type"] == "rule.fired"
    assert told["data"]["rule"]["name"] == "high"
    assert told["data"]["rule"]["message"] == "last of loss is 2 (> 1)"
    assert told["data"]["run"]["id"] == run
    assert world.api.get(f"/experiments/runs/{run}").json()["tags"]["state"] == "diverged"
    world.settle()
    assert other.requests == []
    named.close()
    other.close()


def test_a_filter_chooses_runs_and_an_inactive_rule_sleeps(world: World) -> None:
    rule = world.rule("threshold", metric="loss", value=1, filter="tags.team = 'red' or tags.team = 'blue'")
    sleeping = world.rule("threshold", metric="loss", value=1, active=False)
    red, green = world.run(tags={"team": "red"}), world.run(tags={"team": "green"})
    for run in (red, green):
        world.log(run, loss=2)
    world.wait(lambda: bool(world.firings(rule)))
    world.settle()
    assert [each["run_id"] for each in world.firings(rule)] == [red]
    assert world.firings(sleeping) == []
    # Made active, it looks at the runs that run.
    body = {"name": "awake", "kind": "threshold", "metric": "loss", "value": 1}
    assert world.api.put(f"{world.rules}/{sleeping}", json=body).json()["active"] is True
    world.wait(lambda: {each["run_id"] for each in world.firings(sleeping)} == {red, green})


def test_a_rule_is_tried_without_doing_anything(world: World) -> None:
    run = world.run(name="done")
    world.log(run, loss=5)
    world.api.post(f"/experiments/runs/{run}/end")
    rule = world.rule("threshold", metric="loss", value=1)
    matches = world.api.post(f"{world.rules}/{rule}/test").json()["matches"]
    assert matches == [{"run_id": run, "run_name": "done", "message": "last of loss is 5 (> 1)"}]
    world.settle()
    assert world.events(run) == []  # it had ended before the rule was made, and nothing was logged since


def test_a_purged_run_and_experiment_take_theirs_along(world: World) -> None:
    rule = world.rule("threshold", metric="loss", value=1)
    run = world.run()
    world.log(run, loss=2)
    world.wait(lambda: bool(world.firings(rule)))
    assert world.api.delete(f"/experiments/runs/{run}").status_code == 200
    assert world.api.post(f"/experiments/runs/{run}/purge").status_code == 200
    assert world.firings(rule) == []
    assert world.api.delete(f"/experiments/{world.experiment}").status_code == 200
    assert world.api.post(world.rules, json={"name": "n", "kind": "nonfinite"}).json()["code"] == "experiment_archived"
    assert world.api.post(f"/experiments/{world.experiment}/purge").status_code == 200
    assert world.api.get(world.rules).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "threshold"}, "metric"),
        ({"kind": "threshold", "metric": "m", "value": "NaN"}, "value"),
        ({"kind": "threshold", "metric": "m", "steps": 3}, "steps"),
        ({"kind": "no_progress", "metric": "m"}, "steps"),
        ({"kind": "no_progress", "metric": "m", "steps": 1, "minutes": 1}, "steps"),
        ({"kind": "no_progress", "metric": "m", "steps": -1}, "steps"),
        ({"kind": "silent"}, "minutes"),
        ({"kind": "silent", "minutes": 1e9}, "minutes"),
        ({"kind": "nonfinite", "filter": "what ever"}, "filter"),
        ({"kind": "nonfinite", "webhook_id": "0" * 32}, "webhook_id"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(world: World, wrong: Json, field: str) -> None:
    answer = world.api.post(world.rules, json={"name": "n", **wrong})
    assert answer.status_code == 400, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (RuleContent("n", "threshold", "m", comparison="<", value=1), None),
        (RuleContent("n", "threshold", "m", comparison=">=", value=2, aggregate="last"), "last of m is 2 (>= 2)"),
        (RuleContent("n", "threshold", "m", comparison="<", value=1, aggregate="min"), "min of m is 0.5 (< 1)"),
        (RuleContent("n", "threshold", "m", comparison=">", value=8, aggregate="max"), "max of m is 9 (> 8)"),
        (RuleContent("n", "threshold", "m", comparison="<=", value=4, aggregate="mean"), "mean of m is 4 (<= 4)"),
        (RuleContent("n", "threshold", "other", value=-1e9), None),
        (RuleContent("n", "nonfinite"), "NaN or infinity in m"),
        (RuleContent("n", "nonfinite", "other"), None),
        (RuleContent("n", "no_progress", "m", steps=7), "m has not improved for 7 steps (best 0.5)"),
        (RuleContent("n", "no_progress", "m", steps=7, direction="max"), None),
    ],
)
def test_a_rule_is_judged_from_a_summary(content: RuleContent, expected: str | None) -> None:
    summary = Summary("m", 4, 1, last=2.0, last_step=10, low=0.5, low_step=3, high=9.0, high_step=8, total=12.0)
    assert judge(content, [summary]) == expected


def test_the_command_line(watching: ServerProcess, tenant: str, world: World) -> None:
    def gn(*arguments: str) -> Json:
        options = ["--url", watching.base_url, "--tenant", tenant, *arguments, "--json"]
        done = CliRunner().invoke(cli, options)
        assert done.exit_code == 0, done.output
        found: Json = json.loads(done.stdout)
        return found

    made = gn("rules", "create", "fraud", "high", "--when", "loss.max >= 1e3", "--tag", "state=bad")
    assert (made["aggregate"], made["comparison"], made["value"], made["tags"]) == ("max", ">=", 1000, {"state": "bad"})
    gn("rules", "create", "fraud", "still", "--no-progress", "acc", "--best", "max", "--minutes", "5")
    assert [each["name"] for each in gn("rules", "list", "fraud")["rules"]] == ["high", "still"]
    run = world.run()
    world.log(run, loss=2000)
    world.wait(lambda: len(gn("rules", "firings", "fraud", "high")["firings"]) == 1)
    assert gn("rules", "test", "fraud", "high")["matches"][0]["run_id"] == run
    assert gn("rules", "clear", "fraud", "high", run)["run_id"] == run
    assert gn("rules", "delete", "fraud", "high")["name"] == "high"
    hook = gn("webhooks", "create", "w", "http://127.0.0.1:9/x", "--event", "run.failed", "-e", "fraud")
    assert hook["secret"].startswith("whsec_")
    assert [each["name"] for each in gn("webhooks", "list")["webhooks"]] == ["w"]
    assert gn("webhooks", "update", "w", "--paused")["active"] is False
    assert gn("webhooks", "deliveries", "w")["total"] == 0
    assert gn("webhooks", "delete", "w")["name"] == "w"
    wrong = CliRunner().invoke(
        cli, ["--url", watching.base_url, "--tenant", tenant, "rules", "create", "fraud", "x", "--when", "loss ~ 3"]
    )
    assert wrong.exit_code == 2
