"""`make run`: start the server, load the demo the first time, print the URL, stay in the foreground."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        port_file = Path(scratch) / "port"
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gnomon_server", "--home", str(asked.home)),
                *("--port", str(asked.port), "--port-file", str(port_file)),
            ],
            # A page asks for much, and this terminal is where warnings are to be seen; set it to have the requests too.
            env={"GNOMON_LOG_REQUESTS": "false", **os.environ},
        )
        try:
            while not port_file.exists():
                if server.poll() is not None:
                    return server.returncode
                time.sleep(0.05)
            url = f"http://127.0.0.1:{port_file.read_text()}"
            demo = [sys.executable, "-m", "gnomon", "--url", url, "demo", "--if-empty"]
            if subprocess.run(demo, check=False).returncode != 0:
                print("the demo could not be loaded; the server runs without it", file=sys.stderr)
            print(f"\nGnomon is at {url}   (Ctrl-C stops it)\n", file=sys.stderr)
            return server.wait()
        except KeyboardInterrupt:
            return server.wait()
        finally:
            if server.poll() is None:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    sys.exit(main())
