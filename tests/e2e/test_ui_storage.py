"""What experiments take on the disk, in the settings."""

import httpx
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site


def test_the_settings_measure_the_storage_of_experiments(site: Site, site_api: httpx.Client, begin: Begin) -> None:
    experiment = site_api.post("/experiments", json={"name": "<i>large</i>"}).raise_for_status().json()["id"]
    body = {"experiment_id": experiment}
    run = site_api.post("/experiments/runs", json=body).raise_for_status().json()["id"]
    file = {"file": ("weights.bin", b"x" * 12_300_000)}
    site_api.post(f"/experiments/runs/{run}/log-artifact", files=file).raise_for_status()
    site_api.delete(f"/experiments/{experiment}").raise_for_status()
    for theme in ("light", "dark"):
        visit = begin(theme=theme).open("/settings")
        visit.page.get_by_role("button", name="Measure storage by experiment").click()
        rows = visit.page.locator(".storage-table tbody tr")
        expect(rows.first).to_have_text("<i>large</i> (archived)100 B112 MB12 MB")
        digits = site_api.get(f"/experiments/{site.digits}/storage").json()
        expect(rows.filter(has=visit.page.locator(f'a[href*="{site.digits}"]'))).to_contain_text(
            f"{digits['points']:,}"
        )
        rows.first.scroll_into_view_if_needed()
        assert visit.accessibility_problems() == []
        visit.picture("storage")
