"""What a run notes of its surroundings by itself, in a process of its own with the parts that the test asks for."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.support.server_process import ServerProcess

from gnomon.capture.console import HEAD_BYTES, TAIL_BYTES, ConsoleFiles, console_end, read_console
from gnomon.cli import cli

CANARY = "tr0ub4dor-canary"


class Script:
    """A training script in a git repository with a change that is not committed."""

    def __init__(self, folder: Path, body: str) -> None:
        self.folder = folder
        folder.mkdir()
        self.program = folder / "train.py"
        self.program.write_text("import gnomon\n")
        self._git("init", "--quiet", "--initial-branch=trunk")
        self._git("remote", "add", "origin", f"https://me:{CANARY}@host/repo.git")
        self._git("add", ".")
        self._git("-c", "user.name=n", "-c", "user.email=e@x", "commit", "--quiet", "-m", "first")
        self.commit = self._git("rev-parse", "HEAD").strip()
        self.program.write_text(f"import gnomon\nPASSWORD = '{CANARY}'\n{body}")

    def start(
        self, server: ServerProcess, tenant: str, spool: Path, *arguments: str, **env: str
    ) -> "subprocess.Popen[str]":
        ours = {
            "GNOMON_SPOOL": str(spool),
            "GNOMON_URL": server.base_url,
            "GNOMON_TENANT": tenant,
            "GNOMON_EXIT_TIMEOUT": "60",
            "MY_TOKEN": CANARY,
            "SLURM_JOB_ID": "4711",
        }
        command = [sys.executable, str(self.program), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env={**os.environ, **ours, **env}, stdout=pipe, stderr=pipe, text=True)

    def _git(self, *arguments: str) -> str:
        quiet = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=quiet, check=True, capture_output=True, text=True
        ).stdout


def artifacts(api: httpx.Client, run: str) -> dict[str, str]:
    listed = api.get(f"/experiments/runs/{run}/artifacts").json()["artifacts"]
    return {each["path"]: api.get(f"/experiments/runs/{run}/artifacts/{each['path']}").text for each in listed}


def test_everything_is_noted_and_no_secret_is(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    body = """
import sys, time, logging
logging.basicConfig(stream=sys.stderr)
with gnomon.init('fraud') as run:
    print('to the', 'terminal')
    print(run.id)
    logging.getLogger('x').warning('to the log')
    time.sleep(0.5)
"""
    script = Script(tmp_path / "code", body)
    job = script.start(server, tenant, tmp_path / "spool", "--token", CANARY, "--lr=0.1", GNOMON_SYSTEM_SECS="0.1")
    out, err = job.communicate()
    assert job.returncode == 0, err
    run = out.split()[-1]
    kept = api.get(f"/experiments/runs/{run}").json()
    tags = kept["tags"]
    assert (tags["gnomon.git.commit"], tags["gnomon.git.branch"]) == (script.commit, "trunk")
    assert (tags["gnomon.git.dirty"], tags["gnomon.git.remote"]) == ("true", "https://[redacted]@host/repo.git")
    assert tags["gnomon.command"].endswith("train.py --token '[redacted]' --lr=0.1")
    assert tags["gnomon.python"] == sys.version.split()[0]
    files = artifacts(api, run)
    about = json.loads(files["environment.json"])
    assert about["environment"] == {"SLURM_JOB_ID": "4711"}
    assert about["host"]["name"] == tags["gnomon.host"]
    assert about["host"]["memory_bytes"] > 0
    assert "msgspec==" in files["requirements.txt"]
    assert "+    print('to the', 'terminal')" in files["diff.patch"]
    assert files["console.log"].splitlines() == ["to the terminal", run, "WARNING:x:to the log"]
    assert CANARY not in json.dumps([tags, files])
    assert {"system/cpu", "system/memory", "system/process/memory"} <= set(kept["metrics"])
    assert 0 < kept["metrics"]["system/memory"] <= 100


def test_a_part_that_is_switched_off_is_not_noted(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    script = Script(tmp_path / "code", "with gnomon.init('fraud', capture='command') as run: print(run.id)\n")
    out, err = script.start(server, tenant, tmp_path / "spool", GNOMON_CAPTURE="all").communicate()
    run = out.split()[-1]
    assert set(api.get(f"/experiments/runs/{run}").json()["tags"]) == {"gnomon.command"}, err
    assert set(artifacts(api, run)) == {"environment.json"}


def test_what_a_killed_script_had_printed_is_there_after_sync(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    body = """
run = gnomon.init('fraud', url='http://127.0.0.1:9')
for i in range(200): print('line', i)
print(run.id, flush=True)
import time; time.sleep(60)
"""
    script = Script(tmp_path / "code", body)
    job = script.start(server, tenant, tmp_path / "spool", GNOMON_CAPTURE="console")
    assert job.stdout is not None
    lines = [job.stdout.readline() for _ in range(201)]
    job.send_signal(signal.SIGKILL)
    job.communicate()
    arguments = ["--url", server.base_url, "--tenant", tenant, "sync", str(tmp_path / "spool")]
    while True:
        report = CliRunner().invoke(cli, arguments)
        if "its job is alive" not in report.output:  # it may hold its lock a moment longer
            break
        time.sleep(0.01)
    assert report.exit_code == 0, report.output
    assert artifacts(api, lines[-1].strip())["console.log"] == "".join(lines)
    assert not (tmp_path / "spool").exists() or not list((tmp_path / "spool").iterdir())


@pytest.mark.parametrize("pieces", [1, 1000])
def test_console_output_is_bounded_and_keeps_both_ends(tmp_path: Path, pieces: int) -> None:
    files = ConsoleFiles(tmp_path)
    written = b""
    for i in range(6 * HEAD_BYTES // 65_536):
        for piece in range(pieces if i == 0 else 1):
            data = f"{i} {piece} ".encode().ljust(65_536 if pieces == 1 else 65, b".") + b"\n"
            files.append(data)
            written += data
        if pieces > 1 and i:
            data = b"x" * 65_536
            files.append(data)
            written += data
    files.close()
    kept = read_console(tmp_path)
    assert console_end(tmp_path) == len(written)
    assert len(kept) < HEAD_BYTES + 2 * TAIL_BYTES + 200_000
    head, _, rest = kept.partition(b"\n[")
    left_out, _, tail = rest.partition(b" bytes of output are left out here]\n")
    assert written.startswith(head)
    assert written.endswith(tail)
    assert len(head) + int(left_out) + len(tail) == len(written)
