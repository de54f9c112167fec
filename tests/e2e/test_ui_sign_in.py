"""A person signs in through a real identity provider, works, and signs out: in the browser, as people do it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.conftest import Begin
from tests.support.browser import Theme, Visit
from tests.support.identity_provider import env_for
from tests.support.oidc_provider import free_port, real_provider
from tests.support.secured import as_key, make_key
from tests.support.server_process import ServerProcess


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    """A server, and the issuer with which its people sign in."""
    folder = tmp_path_factory.mktemp("sign-in-ui")
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    key = make_key(folder / "home", "editor", "risk")
    with real_provider(f"{public_url}/signed-in", folder / "provider.log") as issuer:
        env = env_for(issuer, public_url=public_url, oidc_label="Example ID")
        running = ServerProcess(folder / "home", "--port", str(port), env=env).start()
        with as_key(running, key.text) as api:
            experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
            assert api.post("/experiments/runs", json={"experiment_id": experiment}).status_code == 201
        yield running, issuer
        assert running.stop() == 0, running.log_path.read_text()[-4000:]


def sign_in(page: Page, person: str) -> None:
    """Through the provider's own pages: its form takes any name and password, then it asks for consent."""
    page.get_by_role("button", name="Sign in with Example ID").click()
    page.locator("input[name=login]").fill(person)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def expect_provider(visit: Visit, issuer: str) -> None:
    """The way leads over the provider's pages, which load what they like."""
    for pattern in ("401", re.escape(issuer), re.escape("https://fonts.googleapis.com/")):
        visit.expect_console(pattern)


def test_a_person_signs_in_with_the_provider_and_signs_out(
    site: tuple[ServerProcess, str], begin: Begin, theme: Theme
) -> None:
    server, issuer = site
    visit = begin(theme=theme, base_url=server.base_url).open("/settings")
    expect_provider(visit, issuer)
    page = visit.page
    expect(page.get_by_role("button", name="Sign in with Example ID")).to_be_visible()
    assert visit.accessibility_problems() == []
    visit.picture("sign-in-provider")
    sign_in(page, "ana@leads")

    # Back on the page that was asked for, with the role of the groups, and nothing of the way left in the address.
    expect(page.get_by_role("button", name="Signed in as ana")).to_be_visible()
    page.wait_for_url(lambda url: "/settings" in url or "tenant=" in url)
    assert "code=" not in page.url
    visit.open("/settings?tenant=risk")
    expect(page.get_by_role("heading", name="Signed in now")).to_be_visible()
    expect(page.get_by_role("row", name="admin of risk").first).to_be_visible()
    assert visit.accessibility_problems() == []
    visit.picture("settings-session")
    secret = page.evaluate("sessionStorage.getItem('gnomon.session')")
    assert page.evaluate("document.cookie") == ""
    assert "gns_" not in page.evaluate("JSON.stringify(localStorage)")
    with as_key(server, secret, X_Tenant_ID="risk") as api:
        assert api.get("/me").json()["role"] == "admin"

    visit.open("/?tenant=risk")
    expect(page.get_by_role("link", name="fraud")).to_be_visible()
    page.get_by_role("button", name="Signed in as ana").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with Example ID")).to_be_visible()
    with as_key(server, secret, X_Tenant_ID="risk") as api:
        assert api.get("/me").status_code == 401


def test_a_person_without_a_group_is_told_whom_to_ask(site: tuple[ServerProcess, str], begin: Begin) -> None:
    server, issuer = site
    visit = begin(base_url=server.base_url).open("/")
    expect_provider(visit, issuer)
    visit.expect_console("403")
    sign_in(visit.page, "stranger@nobodies")
    expect(visit.page.get_by_text("none of your groups opens a tenant here")).to_be_visible()
    visit.picture("sign-in-refused")
    # Coming to the address again, without an attempt, ends on the sign-in page.
    visit.page.get_by_role("link", name="Begin again").click()
    expect(visit.page.get_by_role("button", name="Sign in with Example ID")).to_be_visible()
