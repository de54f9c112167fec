"""The documentation says what is true: generated pages are fresh, paths exist, commands exist."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import httpx
import pytest
from tests.support.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sdk/*.md"), *ROOT.glob("server/*.md")]
    if "node_modules" not in page.parts
)
_LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")
# `bench/results` is what a measurement writes.
_PATH = re.compile(r"`((?:tests|bench|docs|deploy|scripts|sdk|server|ui)/(?!results)[\w./-]*\w)[/`: ]")
_MAKE = re.compile(r"\bmake ([a-z0-9-]+)\b")
_CLI = re.compile(r"^\s*(?:\$ )?gnomon ((?:[a-z]+)(?: [a-z]+)?)", re.MULTILINE)


def test_generated_pages_are_fresh() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_types_of_the_web_ui_are_fresh(server: ServerProcess, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx.get(f"{server.base_url}/openapi.json").content)
    command = ["node", "ui/scripts/api-types.mjs", "--check", str(document)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_paths_exist(page: Path) -> None:
    named = _PATH.findall(page.read_text())
    assert [path for path in named if not (ROOT / path).exists() and not (page.parent / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = page.read_text()
    code = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)) + "\n".join(re.findall(r"`([^`\n]+)`", text))
    for target in _MAKE.findall(code):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
    for words in set(_CLI.findall(code)):
        assert words.split()[0] in _commands(), f"gnomon {words}"


@cache
def _commands() -> set[str]:
    listed = subprocess.run([sys.executable, "-m", "gnomon", "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"^  ([a-z]+)  ", listed.stdout, re.MULTILINE))
