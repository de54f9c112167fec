"""Automation in the browser: rules and webhooks made, changed, tried and removed; what fired stands at the run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin
from tests.support.browser import Theme
from tests.support.receiver import Receiver
from tests.support.server_process import ServerProcess


@pytest.fixture(scope="module")
def automatic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(
        tmp_path_factory.mktemp("automatic") / "home", env={"GNOMON_EGRESS_ALLOW": "127.0.0.1"}
    ).start()
    yield server
    assert server.stop() == 0, server.log_path.read_text()[-4000:]


def test_rules_and_webhooks_are_managed_in_settings(automatic: ServerProcess, begin: Begin, theme: Theme) -> None:
    with automatic.client() as api:
        name = f"fraud {theme}"
        experiment = api.post("/experiments", json={"name": name}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment, "name": f"high {theme}"}).json()["id"]
        api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 12}})
        receiver = Receiver("127.0.0.1")
        visit = begin(theme=theme, base_url=automatic.base_url).open("/settings")
        page = visit.page

        rules = page.get_by_role("region", name="Rules")
        rules.get_by_label("Experiment").select_option(label=name)
        rules.get_by_role("button", name="New rule").focus()
        page.keyboard.press("Enter")
        form = page.get_by_role("form", name="New rule")
        form.get_by_label("Name").fill("diverged")
        form.get_by_label("Metric").fill("loss")
        form.get_by_label("Value").fill("10")
        form.get_by_label("Only runs").fill("what ever")
        form.get_by_role("button", name="Save rule").click()
        visit.expect_console("400")
        expect(form.get_by_role("alert")).to_be_visible()
        visit.picture("automation-rule-refused")
        form.get_by_label("Only runs").fill("")
        form.get_by_label("Set tags").fill("state=diverged")
        assert visit.accessibility_problems() == []
        form.get_by_role("button", name="Save rule").click()
        expect(rules.get_by_text("loss.last > 10")).to_be_visible()
        # It has fired before it is changed, which is what the run's page tells below.
        visit.until(lambda: api.get(f"/experiments/runs/{run}/events").json()["total"] == 1)
        rules.get_by_role("button", name="Test diverged").click()
        expect(rules.get_by_role("link", name=f"high {theme}")).to_be_visible()
        rules.get_by_role("button", name="Edit diverged").click()
        edit = page.get_by_role("form", name="Edit diverged")
        edit.get_by_label("Fires at").select_option("no_progress")
        edit.get_by_label("For", exact=True).fill("30")
        edit.get_by_role("button", name="Save rule").click()
        expect(rules.get_by_text("loss (min) not better for 30 min")).to_be_visible()
        rules.get_by_role("button", name="Pause diverged").click()
        expect(rules.get_by_role("button", name="Resume diverged")).to_be_visible()

        hooks = page.get_by_role("region", name="Webhooks")
        hooks.get_by_role("button", name="New webhook").click()
        form = page.get_by_role("form", name="New webhook")
        form.get_by_label("Name").fill(f"alerts {theme}")
        form.get_by_label("Address").fill(f"http://127.0.0.1:{receiver.port}/hook")
        assert visit.accessibility_problems() == []
        visit.picture("automation-webhook-form")
        form.get_by_role("button", name="Save webhook").click()
        assert hooks.locator(".minted code").inner_text().startswith("whsec_")
        hooks.get_by_role("button", name="Done").click()
        hooks.get_by_role("button", name=f"Test alerts {theme}").click()
        expect(hooks.get_by_role("row", name="webhook.test")).to_contain_text("answered 204")
        assert visit.accessibility_problems() == []
        hooks.scroll_into_view_if_needed()
        visit.picture("automation-webhooks")
        hooks.get_by_role("button", name=f"Delete alerts {theme}").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(hooks.get_by_text("No webhooks yet.")).to_be_visible()
        rules.get_by_role("button", name="Delete diverged").click()
        page.keyboard.press("Escape")
        expect(rules.get_by_text("diverged", exact=True)).to_be_visible()

        # What it fired for stands on the run's page.
        visit.open(f"/r/{run}/overview")
        events = page.get_by_role("region", name="Events")
        expect(events).to_contain_text("diverged: last of loss is 12 (> 10)")
        assert visit.accessibility_problems() == []
        visit.picture("run-events")
        receiver.close()
