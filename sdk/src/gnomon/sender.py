"""The thread that sends a spool, as a run sees it: it imports what sends, and makes it, off the script's own thread.

Invariants:
- `init` pays for the spool alone. HTTP, TLS and the messages of the server take as long to import as everything else
  together, and are imported by the sender thread.
- A wait for the sender is bounded by its time-out, whatever has been imported by then.
- A sender that cannot be made is said once; what is logged stands in the spool, for `gnomon sync`.
"""

import threading
import time
from typing import TYPE_CHECKING

from gnomon.loading import loading
from gnomon.notice import notice
from gnomon.settings import Settings
from gnomon.spool import SpoolWriter

if TYPE_CHECKING:
    from gnomon.uploader import Uploader


class Sender:
    """One daemon thread for one spool of this process."""

    def __init__(self, spool: SpoolWriter, settings: Settings | None) -> None:
        """`settings` None: nothing is sent, the spool waits for `gnomon sync`."""
        self._spool = spool
        self._settings = settings
        self._uploader: Uploader | None = None
        self._is_made = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-uploader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def flush(self, timeout_secs: float) -> bool:
        """Send now what is in the spool; whether all of it was confirmed in time."""
        uploader, left_secs = self._made(timeout_secs)
        return uploader is not None and uploader.flush(left_secs)

    def close(self, timeout_secs: float) -> bool:
        """Nothing more comes: send the rest, then end the thread. After the time-out it goes on by itself."""
        uploader, left_secs = self._made(timeout_secs)
        return uploader is not None and uploader.close(left_secs)

    def _made(self, timeout_secs: float) -> "tuple[Uploader | None, float]":
        started = time.monotonic()
        if self._thread.is_alive():  # else it could not be started, or has ended
            self._is_made.wait(timeout_secs)
        return self._uploader, max(0.0, timeout_secs - (time.monotonic() - started))

    def _run(self) -> None:
        try:
            with loading:
                from gnomon.remote import HttpRemote
                from gnomon.uploader import Uploader
            remote = None if self._settings is None else HttpRemote(self._settings)
            self._uploader = Uploader(self._spool, remote, root=self._spool.folder.parent.parent)
        except Exception as error:
            notice(f"nothing can be sent from here ({type(error).__name__}: {error}); send it with gnomon sync")
            return
        finally:
            self._is_made.set()
        self._uploader.run()
