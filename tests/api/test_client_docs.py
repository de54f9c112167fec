"""The guides do what they say: every `sh` and `python` block of a page is run, in order, against a real server."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.server_process import ServerProcess

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run_page(page: Path, *, url: str, directory: Path, tenant: str = "default") -> str:
    """All runnable blocks of the page as one shell session in the directory; what it printed."""
    script = ["set -eu -o pipefail"]
    for language, text in _BLOCK.findall(page.read_text("utf-8")):
        # A reader of Python pages stays in one notebook: what was imported once is there.
        script.append(text if language == "sh" else f"python3 - <<'END-OF-BLOCK'\nimport gnomon\n{text}END-OF-BLOCK")
    programs = directory / "bin"
    programs.mkdir()
    for name, command in (("gnomon", [sys.executable, "-m", "gnomon"]), ("python3", [sys.executable])):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GNOMON_URL": url,
        "GNOMON_TENANT": tenant,
    }
    session = "\n".join(script).replace("http://127.0.0.1:7417", url)
    done = subprocess.run(["bash", "-c", session], cwd=directory, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "guides/python-client.md",
            ["baseline 0.01 0.01", "reports/notes.txt 16", "already_exists", "run_not_found"],
        ),
        ("guides/cli.md", ["\n1\n", "build 17 · loss", "whole and unchanged: nightly-export"]),
    ],
)
def test_the_guide_works_as_it_is_written(
    server: ServerProcess, tenant: str, tmp_path: Path, page: str, said: list[str]
) -> None:
    out = run_page(DOCS / page, url=server.base_url, tenant=tenant, directory=tmp_path)
    for text in said:
        assert text in out
