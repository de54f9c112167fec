"""What a tenant may send a second, once there are keys: past it 429 and the time to wait, and nothing half-done."""

import time
from pathlib import Path

from tests.support.secured import as_key, code_of, make_key
from tests.support.server_process import ServerProcess


def test_a_tenant_past_its_rate_is_told_to_wait(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key, other = make_key(home, "editor", "busy"), make_key(home, "editor", "calm")
    env = {"GNOMON_TENANT_REQUESTS_PER_SEC": "5", "GNOMON_TENANT_POINTS_PER_SEC": "100"}
    server = ServerProcess(home, env=env).start()
    try:
        with as_key(server, key.text) as api:
            answers = [api.get("/me") for _ in range(30)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert {answer.json()["code"] for answer in refused} == {"rate_limited"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        with as_key(server, other.text) as api:
            experiment = api.post("/experiments", json={"name": "calm"}).json()["id"]
            run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
            batch = {"metrics": [{"key": "m", "value": 1.0, "step": step} for step in range(150)]}
            first, second = (api.post(f"/experiments/runs/{run}/log-batch", json=batch) for _ in range(2))
            assert first.status_code == 200
            assert code_of(second) == (429, "rate_limited")
            wait = int(second.headers["Retry-After"])
            time.sleep(wait)
            assert api.post(f"/experiments/runs/{run}/log-batch", json=batch).status_code == 200
            assert api.get(f"/experiments/runs/{run}").json()["metrics"] == {"m": 1.0}
    finally:
        assert server.stop() == 0
