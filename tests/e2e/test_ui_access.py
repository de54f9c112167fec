"""A secured server in the browser: signing in with a key, managing keys, and leaving again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin
from tests.support.browser import Theme
from tests.support.secured import Key, as_key, make_key
from tests.support.server_process import ServerProcess


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Key]]:
    home = tmp_path_factory.mktemp("secured-ui") / "home"
    admin = make_key(home, "admin", "risk", name="ana")
    server = ServerProcess(home).start()
    with as_key(server, admin.text) as api:
        experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
        assert api.post("/experiments/runs", json={"experiment_id": experiment}).status_code == 201
    yield server, admin
    assert server.stop() == 0, server.log_path.read_text()[-4000:]


def test_a_person_signs_in_manages_keys_and_signs_out(
    secured: tuple[ServerProcess, Key], begin: Begin, theme: Theme
) -> None:
    server, admin = secured
    visit = begin(theme=theme, base_url=server.base_url).open("/")
    visit.expect_console("401")
    page = visit.page
    page.get_by_role("dialog").get_by_label("API key").fill(admin.text)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("link", name="fraud")).to_be_visible()
    expect(page.get_by_role("button", name="Tenant risk: switch")).to_be_visible()

    visit.open("/settings")
    expect(page.get_by_text("ana").first).to_be_visible()
    page.get_by_label("Who holds the key").fill(f"job {theme}")
    page.get_by_role("combobox", name="Role").select_option("ingest")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator(".minted code").inner_text()
    assert secret.startswith("gnm_")
    with as_key(server, secret) as api:
        assert api.get("/me").json()["role"] == "ingest"
    assert visit.accessibility_problems() == []
    visit.picture("settings-keys")

    page.get_by_role("button", name=f"Revoke job {theme}").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name=f"job {theme}")).to_contain_text("revoked")
    with as_key(server, secret) as api:
        assert api.get("/me").status_code == 401
    page.reload()
    expect(page.get_by_role("row", name="key.revoke").first).to_be_visible()
    expect(page.get_by_role("button", name="Revoke ana")).to_be_disabled()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog").get_by_label("API key")).to_be_visible()
    assert visit.accessibility_problems() == []
    visit.picture("sign-in")
