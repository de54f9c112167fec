"""What our threads import: not on the script's thread, and not while the process forks. In processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

_THREADS = """
import os, sys, threading

class Noting:
    def __init__(self):
        self.here = set()

    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            self.here.add(name)

noting = Noting()
sys.meta_path.insert(0, noting)
import gnomon
run = gnomon.init("fraud", url="http://127.0.0.1:9")
run.log({"loss": 0.3})
print(*sorted(noting.here), flush=True)
os._exit(0)
"""

_FORK = """
import os, sys, threading
from gnomon.loading import loading

begun = threading.Event()

def load():
    with loading:
        begun.set()
        import slowly_imported

threading.Thread(target=load, daemon=True).start()
begun.wait()
child = os.fork()
if child == 0:
    import slowly_imported
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_init_imports_what_sends_and_what_looks_around_on_other_threads(tmp_path: Path) -> None:
    environ = {"GNOMON_SPOOL": str(tmp_path), "GNOMON_EXIT_TIMEOUT": "0"}
    done = _run(_THREADS, tmp_path, environ)
    imported = set(done.stdout.split())
    assert {"gnomon.run", "gnomon.outbox", "msgspec"} <= imported
    heavy = {"urllib3", "ssl", "http.client", "email.parser", "importlib.metadata", "gnomon.client", "gnomon.wire"}
    assert not imported & (heavy | {"gnomon.uploader", "gnomon.capture.machine", "gnomon.capture.code", "psutil"})


def test_a_fork_waits_until_a_thread_of_ours_has_imported(tmp_path: Path) -> None:
    """Else the child would wait for ever for the lock of the module."""
    (tmp_path / "slowly_imported.py").write_text("import time\ntime.sleep(0.5)\n")
    done = _run(_FORK, tmp_path, {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 7, done.stderr


def _run(program: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(filter(None, (environ.get("PYTHONPATH"), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
    )
