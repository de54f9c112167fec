"""`gnomon mcp` as a program meets it: the protocol's own client, over standard input and output, at a real server."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client
from tests.support.server_process import ServerProcess

READING = {
    "list_experiments",
    "describe_experiment",
    "search_runs",
    "get_run",
    "compare_runs",
    "summarise_metrics",
    "list_artifacts",
}
Asks = Callable[[ClientSession], Awaitable[Any]]


def talk(server: ServerProcess, tenant: str, asks: Asks, *options: str) -> Any:
    """One conversation with `gnomon mcp`."""
    command = ["-m", "gnomon", "--url", server.base_url, "--tenant", tenant, "mcp", *options]

    async def conversation() -> Any:
        started = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
        async with (
            stdio_client(started) as (incoming, outgoing),
            ClientSession(incoming, outgoing) as session,
        ):
            await session.initialize()
            return await asks(session)

    return asyncio.run(conversation())


@pytest.fixture
def runs(api: httpx.Client, experiment: str) -> list[str]:
    """Two runs: one whose loss falls, and one that diverges to NaN at step 30."""
    made = []
    for name, opt in (("good", "adam"), ("bad", "sgd")):
        run = api.post("/experiments/runs", json={"experiment_id": experiment, "name": name}).json()["id"]
        values = [1 / (1 + step) if name == "good" or step < 30 else "NaN" for step in range(60)]
        batch = {
            "metrics": [{"key": "loss", "value": value, "step": step} for step, value in enumerate(values)],
            "params": [{"key": "opt", "value": opt}],
        }
        assert api.post(f"/experiments/runs/{run}/log-batch", json=batch).status_code == 200
        made.append(str(run))
    return made


def test_reading_is_all_it_offers_unless_told_otherwise(server: ServerProcess, tenant: str) -> None:
    async def names(session: ClientSession) -> dict[str, bool | None]:
        tools = (await session.list_tools()).tools
        assert all(tool.description for tool in tools)
        return {tool.name: tool.annotations.read_only_hint if tool.annotations else None for tool in tools}

    assert talk(server, tenant, names) == dict.fromkeys(READING, True)
    assert talk(server, tenant, names, "--write") == {**dict.fromkeys(READING, True), "tag_run": False}


def test_an_agent_finds_the_run_that_went_wrong(
    server: ServerProcess, tenant: str, experiment: str, runs: list[str]
) -> None:
    good, bad = runs

    async def investigate(session: ClientSession) -> dict[str, Any]:
        async def ask(tool: str, **named: object) -> Any:
            answer = await session.call_tool(tool, named)
            assert not answer.is_error, answer
            return answer.structured_content

        return {
            "list": await ask("list_experiments", search="frau"),
            "describe": await ask("describe_experiment", experiment="fraud"),
            "search": await ask(
                "search_runs", experiment=experiment, filter="params.opt = 'sgd'", columns=["name", "metrics.loss.n"]
            ),
            "compare": await ask("compare_runs", run_ids=runs),
            "summary": await ask("summarise_metrics", run_id=bad, keys=["loss", "absent"]),
            "run": await ask("get_run", run_id=good),
            "files": await ask("list_artifacts", run_id=good),
        }

    said = talk(server, tenant, investigate)
    assert said["list"]["experiments"] == [{"id": experiment, "name": "fraud", "runs": 2, "description": ""}]
    assert said["describe"]["metrics"] == {"total": 1, "runs_that_have": {"loss": 2}}
    assert said["search"] == {"total": 1, "runs": [{"run_id": bad, "name": "bad", "metrics.loss.n": 60}]}
    assert said["compare"]["params_that_differ"] == {"opt": {good: "adam", bad: "sgd"}}
    assert said["compare"]["best_run"] == good
    (loss,) = said["summary"]["metrics"]
    assert (loss["points"], loss["not_finite"], loss["not_finite_from"]) == (60, 30, 30)
    assert loss["min"] == pytest.approx(1 / 30)
    assert said["summary"]["without_points"] == ["absent"]
    assert said["run"]["params"] == {"opt": "adam"}
    assert said["files"] == {"total": 0, "artifacts": []}


def test_what_cannot_be_answered_is_a_sentence(server: ServerProcess, tenant: str, experiment: str) -> None:
    async def ask(session: ClientSession) -> list[tuple[bool, str]]:
        answers = [
            await session.call_tool("get_run", {"run_id": "0" * 32}),
            await session.call_tool("search_runs", {"experiment": experiment, "filter": "metrics.loss <"}),
            await session.call_tool("describe_experiment", {"experiment": "nobody's"}),
        ]
        return [(bool(answer.is_error), answer.content[0].text) for answer in answers]

    said = talk(server, tenant, ask)
    assert [is_error for is_error, _ in said] == [True] * 3
    assert "no run has the id" in said[0][1]
    assert all("Traceback" not in text for _, text in said)


def test_it_sets_tags_when_it_may(server: ServerProcess, tenant: str, runs: list[str], api: httpx.Client) -> None:
    async def tag(session: ClientSession) -> object:
        return (await session.call_tool("tag_run", {"run_id": runs[1], "tags": {"verdict": "diverged"}})).is_error

    assert talk(server, tenant, tag, "--write") in (False, None)
    assert api.get(f"/experiments/runs/{runs[1]}").json()["tags"]["verdict"] == "diverged"
