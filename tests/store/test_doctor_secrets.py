"""`gnomon doctor` and the commands of operators repeat no secret, also when it is what they refuse."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.secured import gnomon

CANARY = "hush-3f9a"
ALWAYS = {
    "GNOMON_OIDC_CLIENT_SECRET": CANARY,
    "GNOMON_OIDC_ISSUER": "https://id.example",
    "GNOMON_OIDC_CLIENT_ID": "gnomon",
    "AWS_ACCESS_KEY_ID": f"id-{CANARY}",
    "AWS_SECRET_ACCESS_KEY": f"key-{CANARY}",
    "GNOMON_URL": "http://127.0.0.1:1",
}
REFUSED = {
    "a database out of reach": {"GNOMON_DATABASE": f"postgresql://gnomon:{CANARY}@127.0.0.1:1/gnomon"},
    "a database URL that cannot be read": {"GNOMON_DATABASE": f"postgresql://gnomon:{CANARY}@host:port/gnomon"},
    "another kind of database": {"GNOMON_DATABASE": f"mysql://gnomon:{CANARY}@host/gnomon"},
    "a store with a password": {"GNOMON_ARTIFACTS": f"s3://user:{CANARY}@bucket/prefix"},
    "an endpoint with a password": {
        "GNOMON_ARTIFACTS": "s3://bucket/prefix",
        "GNOMON_ARTIFACTS_ENDPOINT": f"http://user:{CANARY}@store.example",
    },
    "nothing": {},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("doctor") / "home"
    assert gnomon("audit", "verify", "--home", str(made)).returncode == 0
    return made


@pytest.mark.parametrize("what", REFUSED)
def test_doctor_repeats_no_secret(home: Path, what: str) -> None:
    found = gnomon("doctor", "--home", str(home), "--json", settings={**ALWAYS, **REFUSED[what]})
    assert '"checks"' in found.stdout
    assert CANARY not in found.stdout + found.stderr


def test_keys_are_managed_without_the_web_framework() -> None:
    code = "import sys, gnomon_server.commands.keys, gnomon_server.commands.audit; print('litestar' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
