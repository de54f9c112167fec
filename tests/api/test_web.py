"""The web UI over HTTP: pages, assets, caching, compression, the path prefix, and what is not a page."""

import asyncio
import base64
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

from gnomon_server.api.web import load_ui, web_routes
from gnomon_server.settings import load_settings

SCRIPT = b"export const shadow = 'gnomon';\n" * 40
INDEX = '<!doctype html><html><head><base href="/" /><script src="./assets/index-ab12.js"></script></head></html>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small UI as the build leaves it."""
    assets = tmp_path / "_ui" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "index.html").write_text(INDEX)
    (assets.parent / "robots.txt").write_text("User-agent: *\n")
    (assets / "index-ab12.js").write_bytes(SCRIPT)
    (assets / "index-ab12.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "index-ab12.js.br").write_bytes(b"brotli of it")
    (assets / "archivo.woff2").write_bytes(b"wOF2")
    (tmp_path / "secret.txt").write_text("not of the UI")
    return assets.parent


class Browser:
    """Asks an app made of the UI alone."""

    def __init__(self, folder: Path, *, base_path: str = "") -> None:
        self._app = Litestar(web_routes(load_ui(folder, base_path=base_path)), openapi_config=None, logging_config=None)

    def get(self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gnomon.test") as client:
                return await client.request(method, path, headers={"Accept-Encoding": "identity", **(headers or {})})

        return asyncio.run(ask())


@pytest.fixture
def browser(folder: Path) -> Browser:
    return Browser(folder)


@pytest.fixture
def root(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/index.html", "/settings", "/e/0199", "/e/0199/table", "/r/0199/charts/x"])
def test_every_page_of_the_ui_is_the_one_page(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_the_policy_of_a_page_lets_only_our_own_files_run(browser: Browser) -> None:
    policy = dict(part.split(" ", 1) for part in browser.get("/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["object-src"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in "".join(policy.values())


def test_hashed_assets_are_kept_for_ever_and_other_files_asked_for_again(browser: Browser) -> None:
    script = browser.get("/assets/index-ab12.js")
    assert script.content == SCRIPT
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert browser.get("/assets/archivo.woff2").headers["content-type"] == "font/woff2"
    assert browser.get("/robots.txt").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/assets/index-ab12.js", "/robots.txt"])
def test_what_the_browser_has_is_not_sent_again(browser: Browser, path: str) -> None:
    etag = browser.get(path).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = browser.get(path, {"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"]
    assert browser.get(path, {"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.0, gzip; q=0", None),
        ("*", "br"),
        ("deflate", None),
        ("", None),
    ],
)
def test_a_file_goes_out_in_the_best_coding_that_the_browser_takes(
    browser: Browser, folder: Path, accepted: str, coding: str | None
) -> None:
    answer = browser.get("/assets/index-ab12.js", {"Accept-Encoding": accepted, "If-None-Match": '"x"'}, method="HEAD")
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    ending = {"br": ".br", "gzip": ".gz", None: ""}[coding]
    size = (folder / "assets" / f"index-ab12.js{ending}").stat().st_size
    assert answer.headers["content-length"] == str(size)


def test_codings_of_a_file_have_tags_of_their_own(browser: Browser) -> None:
    tags = {
        browser.get("/assets/index-ab12.js", {"Accept-Encoding": one}).headers["etag"] for one in ("br", "gzip", "")
    }
    assert len(tags) == 3
    assert "vary" not in browser.get("/assets/archivo.woff2", {"Accept-Encoding": "br"}).headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets//etc/passwd",
        "/assets/index-ab12.js.gz",
        "/assets/nothing.js",
        "/assets",
        "/secret.txt",
        "/e",
        "/wp-login.php",
    ],
)
def test_only_files_of_the_ui_are_served(browser: Browser, path: str) -> None:
    raw = httpx.URL("http://gnomon.test").copy_with(raw_path=path.encode())
    answer = browser.get(str(raw))
    assert answer.status_code == 404 or answer.text == INDEX  # the client itself resolves plain dots
    assert b"not of the UI" not in answer.content


def test_under_a_path_prefix_the_page_says_so_once(folder: Path) -> None:
    for prefix in ("/gnomon", "/gnomon/", "/a/b.c"):
        page = Browser(folder, base_path=prefix).get("/e/0199").text
        assert page == INDEX.replace('href="/"', f'href="{prefix.rstrip("/")}/"')


@pytest.mark.parametrize("prefix", ["gnomon", "//evil.example", "/a//b", '/"><script>', "/a b", "https://x"])
def test_a_prefix_that_is_no_path_stops_the_start(folder: Path, prefix: str) -> None:
    with pytest.raises(ValueError, match="GNOMON_BASE_PATH"):
        load_ui(folder, base_path=prefix)


def test_a_page_without_base_cannot_be_moved(folder: Path) -> None:
    (folder / "index.html").write_text("<!doctype html>")
    load_ui(folder, base_path="")
    with pytest.raises(ValueError, match="GNOMON_BASE_PATH"):
        load_ui(folder, base_path="/gnomon")


def test_without_a_built_ui_the_page_says_how_to_build_it(tmp_path: Path) -> None:
    browser = Browser(tmp_path / "nothing", base_path="/gnomon")
    answer = browser.get("/")
    assert answer.status_code == 200
    assert '<base href="/gnomon/" />' in answer.text
    assert "make ui" in answer.text
    assert 'href="docs"' in answer.text
    assert browser.get("/e/0199").text == answer.text
    assert browser.get("/assets/index.js").status_code == 404


def test_the_server_answers_pages_beside_its_api(root: httpx.Client) -> None:
    home = root.get("/")
    assert home.status_code == 200
    assert home.headers["content-type"] == "text/html; charset=utf-8"
    assert home.headers["x-content-type-options"] == "nosniff"
    assert home.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert root.get("/e/0199/table").content == home.content
    assert root.head("/").status_code == 200
    assert root.get("/docs").text != home.text
    assert_problem(root.get("/api/v1/nothing"), 404, "no_such_route")
    assert_problem(root.get("/assets/nothing.js"), 404, "no_such_route")
    assert_problem(root.post("/settings"), 405, "method_not_allowed")


def test_a_person_at_a_wrong_address_gets_a_page_and_a_program_a_problem(root: httpx.Client) -> None:
    person = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    page = root.get("/nowhere/at/all", headers=person)
    assert page.status_code == 404
    assert page.content == root.get("/", headers=person).content
    assert page.headers["content-security-policy"] == root.get("/").headers["content-security-policy"]
    assert_problem(root.get("/nowhere/at/all"), 404, "no_such_route")
    for path in ("/api/v1/nothing", "/assets/nothing.js"):
        assert_problem(root.get(path, headers=person), 404, "no_such_route")
    assert_problem(root.post("/nowhere", headers=person), 404, "no_such_route")


def test_the_policy_of_the_reference_page_names_its_style(root: httpx.Client) -> None:
    page = root.get("/docs")
    style = page.text.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "style=" not in page.text


def test_the_setting_reaches_the_page(tmp_path: Path) -> None:
    assert load_settings({"GNOMON_BASE_PATH": "/gnomon"}).base_path == "/gnomon"
    running = ServerProcess(tmp_path / "home", env={"GNOMON_BASE_PATH": "/lab/gnomon"}).start()
    assert '<base href="/lab/gnomon/" />' in httpx.get(f"{running.base_url}/settings").text
    assert running.stop() == 0
