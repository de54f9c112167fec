"""The audit log: what changes an entry, takes one out or moves one is found."""

from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from gnomon_server.commands.home import OpenedHome, opened_home
from gnomon_server.core.audit import verify
from gnomon_server.model.audit import AuditEntry, Deed
from gnomon_server.store.meta import audit

DEEDS = [
    Deed(action="key.create", actor="operator", tenant=f"t{n}", target=f"k{n}", detail={"n": str(n)}) for n in range(5)
]


def _fill(opened: OpenedHome) -> None:
    opened.transact(lambda tx: audit.append_deeds(tx, DEEDS[:2], now_ms=1))
    opened.transact(lambda tx: audit.append_deeds(tx, DEEDS[2:], now_ms=2))


def _verify(opened: OpenedHome) -> tuple[int, AuditEntry | None]:
    with opened.database.system() as connection:
        return verify(connection)


def test_an_untouched_log_is_intact(tmp_path: Path) -> None:
    with opened_home(tmp_path) as opened:
        assert _verify(opened) == (0, None)
        _fill(opened)
        assert _verify(opened) == (5, None)
        with opened.database.system() as connection:
            total, page = audit.list_entries(connection, tenants=["t1", "t3"], limit=1, offset=0)
    assert (total, [entry.tenant for entry in page]) == (2, ["t3"])


@pytest.mark.parametrize(
    ("forgery", "found_at"),
    [
        ("UPDATE audit_ SET actor = 'nobody' WHERE id = 2", 2),
        ("UPDATE audit_ SET at_ms = 9 WHERE id = 5", 5),
        ("UPDATE audit_ SET detail = '{}' WHERE id = 1", 1),
        ("UPDATE audit_ SET tenant = 't9' WHERE id = 3", 3),
        ("DELETE FROM audit_ WHERE id = 3", 4),
        ("DELETE FROM audit_ WHERE id = 1", 2),
        ("UPDATE audit_ SET digest = zeroblob(32) WHERE id = 4", 4),
    ],
)
def test_a_forged_log_is_found_out(tmp_path: Path, forgery: str, found_at: int) -> None:
    with opened_home(tmp_path) as opened:
        _fill(opened)
    database = sqlite.connect(str(tmp_path / "gnomon.db"))
    database.execute(forgery)
    database.commit()
    database.close()
    with opened_home(tmp_path) as opened:
        _, broken = _verify(opened)
    assert broken is not None
    assert broken.id == found_at
