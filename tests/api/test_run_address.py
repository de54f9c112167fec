"""What a person at a terminal is told of where a run is."""

from pathlib import Path

import pytest

import gnomon


@pytest.mark.parametrize(
    ("named", "path"), [(None, "/r/{id}"), ("team-a", "/r/{id}?tenant=team-a")], ids=["no tenant", "a tenant"]
)
def test_a_person_is_told_where_the_run_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    named: str | None,
    path: str,
) -> None:
    monkeypatch.setenv("GNOMON_SPOOL", str(tmp_path))
    monkeypatch.setenv("GNOMON_EXIT_TIMEOUT", "0")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run = gnomon.init("shown", name="a", url="http://127.0.0.1:9/at/", tenant=named, capture=False)
    assert run.url == f"http://127.0.0.1:9/at{path.format(id=run.id)}"
    assert capsys.readouterr().err == f"gnomon: a is at {run.url}\n"
    kept = gnomon.init("shown", name="b", url="http://127.0.0.1:9", offline=True, capture=False)
    assert capsys.readouterr().err.startswith("gnomon: b stays here until: gnomon sync /")
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    silent = gnomon.init("shown", url="http://127.0.0.1:9", offline=True, capture=False)
    assert capsys.readouterr().err == ""
    lost = gnomon.init("shown", url="nowhere", capture=False)
    assert lost.url is None
    for one in (run, kept, silent, lost):
        one.finish()
