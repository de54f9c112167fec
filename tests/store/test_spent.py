"""Tokens of a trace that an earlier version began: it kept their sum, and not what each span told."""

from pathlib import Path

import pysqlite3.dbapi2 as sqlite
from tests.compat.trace_wire import export, info_of, span
from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess


def test_a_sum_that_an_earlier_version_began_goes_on(tmp_path: Path) -> None:
    def told(count: int, uid: str) -> str:
        server = ServerProcess(tmp_path).start()
        wire = Wire(server.base_url, "default")
        tokens = [{"key": "gen_ai.usage.output_tokens", "value": {"intValue": count}}]
        export(wire, span(uid, parent="f", attributes=tokens))
        usage: str = info_of(wire)["trace_metadata"]["mlflow.trace.tokenUsage"]
        wire.http.close()
        server.stop()
        return usage

    assert told(12, "a") == '{"output_tokens":12,"total_tokens":12}'
    connection = sqlite.connect(tmp_path / "gnomon.db")
    for (trigger,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'trace_pair_'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    assert connection.execute("DELETE FROM trace_pair_ WHERE kind = 'spent'").rowcount == 1
    connection.commit()
    connection.close()
    assert told(30, "b") == '{"output_tokens":42,"total_tokens":42}'
