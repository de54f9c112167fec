"""`python -m tests.fault.small_wal ...`: the server with a checkpoint every few commits, so that a short recording of
its system calls holds many."""

from gnomon_server import __main__ as server
from gnomon_server.store.meta import engine

CHECKPOINT_PAGES = 24

if __name__ == "__main__":
    assert engine._CHECKPOINT_PAGES > CHECKPOINT_PAGES
    engine._CHECKPOINT_PAGES = CHECKPOINT_PAGES
    server.command()
