"""The OpenAPI document is exact: requests made from it, right and wrong ones, are answered as it says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from tests.support import schemathesis_checks
from tests.support.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
SEED = 20_240_229
EXAMPLES = 20  # an operation and phase: about half a minute in all
# State and the query language are what a schema cannot say; `refuses_for_a_reason_of_state` judges each such 400.
# DELETE archives, and what is archived is still read.
CONFIG = """
generation.allow-x00 = true
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 400, 403, 404, 409]
negative_data_rejection.expected-statuses = [400, 403, 404, 405, 409, 413, 414, 415, 431]
"""
# Schemathesis does not ask for the document again; comparing needs two ids that exist, which no link can say; it waits
# for the end of an answer, and a live stream has none.
LIVE = "/api/v1/experiments/{experiment_id}/live"
# To reach a view it would have to make an experiment and a view in it, and keep to one tenant: chance seldom does.
VIEW = "/api/v1/experiments/{experiment_id}/views/{view_id}"
# The same of an upload; and in open mode nobody manages keys, nor is there a trace to read.
UPLOAD = "/api/v1/experiments/runs/{run_id}/uploads/{upload_id}"
KEYS = "/api/v1/keys"
# A webhook's id stands within the answer that makes it, where no link looks.
HOOK = "/api/v1/webhooks/{webhook_id}"
UNREACHED = {
    f"DELETE {UPLOAD}",
    f"POST {UPLOAD}/complete",
    f"PUT {UPLOAD}/parts/{{number}}",
    f"GET {KEYS}",
    f"POST {KEYS}",
    f"DELETE {KEYS}/{{key_id}}",
    f"POST {KEYS}/{{key_id}}/rotate",
    "GET /api/v1/audit",
    # Nor sets anybody a quota.
    "PATCH /api/v1/quotas/{tenant}",
    # What a rule needs is seldom guessed whole, and the few that are made are gone before they are met again.
    "DELETE /api/v1/experiments/{experiment_id}/rules/{rule_id}",
    "PUT /api/v1/experiments/{experiment_id}/rules/{rule_id}",
    # Without an identity provider nobody signs in.
    "POST /api/v1/sign-in/start",
    "POST /api/v1/sign-in/finish",
    "POST /api/v1/sign-out",
    "DELETE /api/v1/sessions/{session_id}",
    f"GET {HOOK}",
    f"PATCH {HOOK}",
    f"DELETE {HOOK}",
    f"POST {HOOK}/rotate-secret",
    f"POST {HOOK}/test",
    f"GET {HOOK}/deliveries",
    f"POST {HOOK}/deliveries/{{delivery_id}}/redeliver",
    "GET /api/v1/traces/{trace_id}",
    "GET /openapi.json",
    "POST /api/v1/experiments/runs/compare",
    f"GET {LIVE}",
    f"PUT {VIEW}",
    f"DELETE {VIEW}",
}


def test_every_generated_request_is_answered_as_the_document_says(server: ServerProcess, tmp_path: Path) -> None:
    document: dict[str, Any] = httpx.get(f"{server.base_url}/openapi.json").json()
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    report, seen = tmp_path / "report.json", tmp_path / "seen.txt"
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(tmp_path / "schemathesis.toml")),
        *("run", f"{server.base_url}/openapi.json", "--checks", "all", "--exclude-path", LIVE),
        *("--exclude-checks", "use_after_free"),
        *("--phases", "examples,coverage,fuzzing,stateful", "--workers", "1", "--continue-on-failure"),
        *("--seed", str(SEED), "--max-examples", str(EXAMPLES), "--generation-database", "none"),
        *("--header", "X-Tenant-ID: contract", "--no-color", "--report", "json", "--report-json-path", str(report)),
    ]
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": schemathesis_checks.__name__,
        schemathesis_checks.SEEN: str(seen),
    }
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:]

    outcome = json.loads(report.read_text())
    assert outcome["failures"] == []
    assert {name: phase["status"] for name, phase in outcome["phases"].items() if name != "examples"} == {
        "coverage": "success",
        "fuzzing": "success",
        "stateful": "success",
    }
    assert outcome["test_cases"]["generated"] > 1_500
    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    reached = {
        line.rpartition(" ")[0] for line in seen.read_text().splitlines() if line.rpartition(" ")[2].startswith("2")
    }
    assert operations - reached <= UNREACHED
    assert not [line for line in seen.read_text().splitlines() if line.rpartition(" ")[2].startswith("5")]
