"""Quotas in the settings: what a tenant keeps of what it may keep, with limits and without."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin
from tests.support.browser import Theme
from tests.support.secured import Key, as_key, make_key
from tests.support.server_process import ServerProcess


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Key, Key]]:
    home = tmp_path_factory.mktemp("quotas-ui") / "home"
    admin, platform = make_key(home, "admin", "risk"), make_key(home, "platform")
    server = ServerProcess(home).start()
    with as_key(server, admin.text) as api:
        experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        metrics = [{"key": "loss", "value": 1.0, "step": step} for step in range(95)]
        assert api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": metrics}).status_code == 200
    yield server, admin, platform
    assert server.stop() == 0, server.log_path.read_text()[-4000:]


def test_quotas_are_shown_with_what_is_used(
    limited: tuple[ServerProcess, Key, Key], begin: Begin, theme: Theme
) -> None:
    server, admin, platform = limited
    with as_key(server, platform.text) as api:
        none = dict.fromkeys(("experiments", "runs", "series", "points", "artifact_bytes"))
        api.patch("/quotas/risk", json=none).raise_for_status()
        visit = begin(theme=theme, base_url=server.base_url).open("/")
        visit.expect_console("401")
        page = visit.page
        page.get_by_role("dialog").get_by_label("API key").fill(admin.text)
        page.get_by_role("button", name="Use this key").click()
        expect(page.get_by_role("link", name="fraud")).to_be_visible()
        visit.open("/settings")
        quotas = page.get_by_role("region", name="Quotas")
        expect(quotas.get_by_text("No limit is set: as much is kept as there is room for.")).to_be_visible()
        expect(quotas.get_by_role("meter")).to_have_count(0)
        quotas.scroll_into_view_if_needed()
        visit.picture("quotas-free")
        limits = {"points": 100, "runs": 1, "experiments": 40, "artifact_bytes": 2_000_000_000_000}
        api.patch("/quotas/risk", json=limits).raise_for_status()
        page.reload()
        expect(quotas.get_by_text("95 of 100")).to_be_visible()
        expect(quotas.get_by_text("1 of 1 · full")).to_be_visible()
        expect(quotas.get_by_text("0 B of 2.0 TB")).to_be_visible()
        expect(quotas.get_by_role("meter", name="Points")).to_have_attribute("aria-valuenow", "95")
        expect(quotas.get_by_role("meter")).to_have_count(4)
        assert visit.accessibility_problems() == []
        quotas.scroll_into_view_if_needed()
        visit.picture("quotas")
