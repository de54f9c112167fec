"""The Models page: what the registry holds, read from the wire that MLflow's clients write."""

import httpx
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site


def test_registered_models_lead_to_their_runs(site: Site, begin: Begin, tenant: str) -> None:
    at_tenant = {"X-MLFLOW-WORKSPACE": tenant}
    with httpx.Client(base_url=f"{site.base_url}/api/2.0/mlflow", headers=at_tenant) as wire:
        made = wire.post("/experiments/create", json={"name": "registry"}).raise_for_status().json()
        body = {"experiment_id": made["experiment_id"], "run_name": "trained <b>", "start_time": 1}
        run = wire.post("/runs/create", json=body).raise_for_status().json()["run"]["info"]["run_id"]
        for name in ("digits", "it's <empty>"):
            wire.post(
                "/registered-models/create", json={"name": name, "description": "reads digits"}
            ).raise_for_status()
        for number in (1, 2):
            version = {"name": "digits", "source": f"s3://bucket/{number}", "run_id": run}
            wire.post("/model-versions/create", json=version).raise_for_status()
        alias = {"name": "digits", "alias": "champion", "version": "1"}
        wire.post("/registered-models/alias", json=alias).raise_for_status()

    visit = begin(theme="dark").open(f"/?tenant={tenant}")
    visit.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Models").click()
    rows = visit.page.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("champion → 1")
    visit.picture("models")
    assert visit.accessibility_problems() == []
    visit.page.get_by_role("searchbox", name="Search models by name").fill("it's")
    expect(rows).to_have_count(2)
    visit.page.get_by_role("link", name="it's <empty>").click()
    expect(visit.page.get_by_text("No version yet")).to_be_visible()

    visit.open(f"/models/digits?tenant={tenant}")
    expect(visit.page.locator(".models-uri code")).to_have_text("models:/digits@champion")
    expect(rows.nth(1)).to_contain_text("s3://bucket/2")
    expect(rows.nth(2)).to_contain_text("champion")
    assert visit.accessibility_problems() == []
    visit.picture("model")
    visit.page.get_by_role("link", name="trained <b>").first.click()
    expect(visit.page.locator(".run-title")).to_have_text("trained <b>")


def test_a_tenant_without_models_learns_how_to_register_one(begin: Begin, tenant: str) -> None:
    visit = begin().open(f"/models?tenant={tenant}")
    expect(visit.page.get_by_text("No model is registered yet")).to_be_visible()
    assert visit.accessibility_problems() == []


def test_a_run_says_its_data_who_else_took_it_in_and_its_models(site: Site, begin: Begin) -> None:
    tenant = "lineage"
    headers = {"X-Tenant-ID": tenant}
    with httpx.Client(base_url=f"{site.base_url}/api/2.0/mlflow", headers=headers, timeout=60) as wire:
        runs = {}
        data = {"name": "mnist <b>", "digest": "d1", "source_type": "http", "source": "https://example.org/mnist"}
        for name in ("taught", "other"):
            body = {"experiment_id": "0", "run_name": name, "start_time": 1}
            runs[name] = wire.post("/runs/create", json=body).raise_for_status().json()["run"]["info"]["run_id"]
            tags = [{"key": "mlflow.data.context", "value": "training"}]
            inputs = {"run_id": runs[name], "datasets": [{"dataset": data, "tags": tags}]}
            wire.post("/runs/log-inputs", json=inputs).raise_for_status()
        wire.post("/registered-models/create", json={"name": "digits"}).raise_for_status()
        version = {"name": "digits", "source": "s3://bucket/1", "run_id": runs["taught"]}
        wire.post("/model-versions/create", json=version).raise_for_status()
    for theme in ("light", "dark"):
        visit = begin(theme=theme).open(f"/r/{runs['taught']}?tenant={tenant}")
        card = visit.page.locator(".run-lineage")
        expect(card).to_contain_text("trainingmnist <b> d1also in other")
        expect(card.get_by_role("link", name="digits, version 1")).to_be_visible()
        visit.picture("run-lineage")
        assert visit.accessibility_problems() == []
        card.get_by_role("link", name="other").click()
        expect(card).to_contain_text("also in taught")
        expect(card).not_to_contain_text("digits")
