"""Clients that log without pause and never give up: what gets no answer, or a 503, is sent again until it is taken."""

import threading
import time

import httpx

from tests.fault.run_log import LogRequest, RunLog

_MOST_SECS = 120


class SteadyLoggers:
    """Threads, one a run. `join` ends them once each request that was begun has been taken."""

    def __init__(self, base_url: str, logs: list[RunLog]) -> None:
        self._base_url = base_url
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self.refused = 0
        self.cut = 0
        self._threads = [threading.Thread(target=self._log, args=(log,)) for log in logs]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _log(self, log: RunLog) -> None:
        client = self._client()
        try:
            while not self._stop.is_set():
                request = log.next_request()
                ends = time.monotonic() + _MOST_SECS
                while not self._is_taken(client, log, request):
                    assert time.monotonic() < ends, f"no answer for {_MOST_SECS} s: the server does not recover"
                    if client.is_closed or self.cut:
                        client.close()
                        client = self._client()
                    time.sleep(0.05)
        except BaseException as error:
            self._errors.append(error)
        finally:
            client.close()

    def _is_taken(self, client: httpx.Client, log: RunLog, request: LogRequest) -> bool:
        try:
            answer = log.send(client, request)
        except httpx.TransportError:
            self.cut += 1
            return False
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            self.refused += 1
            return False
        assert answer.status_code == 200, answer.text
        return True

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self._base_url}/api/v1", timeout=60)
