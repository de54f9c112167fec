"""What the image does, without a container runtime: its wheels in a clean environment, another user, nothing writable.

Needs the right to make a mount namespace, as root has; the CI machine and a developer's container have it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.seaweed import free_ports

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
# Of the whole file system only the home and a temporary folder can be written; the interpreter is where all may read.
NAMESPACE = """set -e
mount --make-rprivate /
mount --bind "$1/home" "$1/home"; mount --bind "$2" "$1/python"; mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -o remount,ro,bind /
cd "$1"; shift 2
exec setpriv --reuid 10001 --regid 10001 --clear-groups "$@"
"""
# As a person does after `docker run`: a key, the server, the image's own health check, a look at everything.
INSIDE = """set -e
if touch /tmp/written 2>/dev/null; then echo "the root can be written"; exit 1; fi
gnomon() { python/bin/python3 -m gnomon "$@"; }
GNOMON_API_KEY=$(gnomon keys create --tenant default --role admin); export GNOMON_API_KEY
python/bin/python3 -m gnomon server --port-file home/port & server=$!
trap 'kill $server' EXIT
for _ in $(seq 300); do test -e home/port && break; sleep 0.2; done
python/bin/python3 -c "$HEALTH"
gnomon experiments create first
gnomon verify
trap - EXIT
kill $server; wait $server
"""


@pytest.mark.nightly
def test_the_steps_of_the_image_make_a_server_that_runs() -> None:
    """Below /opt, for what lies in a folder of root's is nothing that another user may read."""
    folder = Path("/opt") / f"gnomon-image-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        _install(folder)
        _run(folder)
    finally:
        shutil.rmtree(folder)


def _install(folder: Path) -> None:
    for name in ("sdk", "server"):
        shutil.copytree(ROOT / name, folder / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
    (wheels,) = re.findall(r"^RUN GNOMON_RELEASE=1 pip wheel .*--wheel-dir /wheels (.*)$", DOCKERFILE, re.MULTILINE)
    packages = [package.strip("'") for package in wheels.split()]
    pip = [sys.executable, "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check"]
    made = [*pip, "wheel", "--wheel-dir", str(folder / "wheels"), *packages]
    subprocess.run(made, cwd=folder / "src", check=True, env={**os.environ, "GNOMON_RELEASE": "1"})
    (wanted,) = re.findall(r"pip install .*--no-index .* '(.*)'$", DOCKERFILE, re.MULTILINE)
    options = ["--no-index", f"--find-links={folder / 'wheels'}", "--no-compile", "--target", str(folder / "packages")]
    subprocess.run([*pip, "install", *options, wanted], check=True)
    for name in ("home", "python"):
        (folder / name).mkdir(mode=0o700 if name == "home" else 0o755)
    os.chown(folder / "home", 10001, 10001)


def _run(folder: Path) -> None:
    (port,) = free_ports(1)
    (health,) = re.findall(r'CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    named = dict(re.findall(r"(\w+)=(\S+)", next(line for line in DOCKERFILE.splitlines() if line.startswith("ENV "))))
    env = {
        **named,
        "PATH": "/usr/bin:/bin",
        "GNOMON_HOME": str(folder / "home"),
        "GNOMON_PORT": str(port),
        "GNOMON_URL": f"http://127.0.0.1:{port}",
        "HEALTH": health.replace("7417", str(port)),
        "PYTHONPATH": str(folder / "packages"),
        "PYTHONHOME": str(folder / "python"),
        "LD_LIBRARY_PATH": str(folder / "python" / "lib"),
    }
    command = ["unshare", "--mount", "sh", "-c", NAMESPACE, "sh", str(folder), sys.base_prefix, "sh", "-c", INSIDE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything is as it was written" in done.stdout
    assert set(named) == {"GNOMON_HOME", "GNOMON_HOST", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
