"""Who may read the pages and who may act on them: sign-in with the fake GitHub in a real browser, and hostile forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, expect
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.environment.loopback import run_server
from bot.errors import ConfigError
from bot.server.pages.access import KnownRepository, PublicAccess, Reader
from bot.server.pages.application import Pages, open_pages
from bot.server.pages.settings import PagesMode, PagesSettings
from tests.pipeline.conftest import history
from tests.pipeline.office import MAINTAINER
from tests.server.site import Site, record_hostile, record_survey, running_site

__all__ = ["history"]

pytestmark = [pytest.mark.browser, pytest.mark.long]
expect.set_options(timeout=120_000)


@pytest.fixture(scope="module")
def site(history: Path, tmp_path_factory: pytest.TempPathFactory, service_database: str) -> Iterator[Site]:
    """Let the service answer one comment; beside it, the database knows a repository that is not on this GitHub."""
    with running_site(history, tmp_path_factory.mktemp("site"), service_database) as running:
        running.office.issue(7).create_comment("/backport release/1.0")
        running.settle()
        record_survey(running.database)
        yield running


@contextmanager
def serving_pages(site: Site, settings: PagesSettings) -> Iterator[str]:
    """Serve more pages of the same service, at an address that is known only then."""
    apps: list[ASGIApp] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[0](scope, receive, send)

    with run_server(app) as url:
        client_id, secret = site.office.fake_github.add_oauth_app(f"{url}/sign-in/callback")
        values = {"url": url, "client_id": client_id, "client_secret": secret}
        pages = open_pages(
            PagesSettings(
                mode=settings.mode,
                trust_header=settings.trust_header,
                proxies=settings.proxies,
                api_url=site.office.fake_github.api_url,
                **values,
            ),
            site.database,
            site.service.repositories,
        )
        assert pages is not None
        apps.append(Starlette(routes=pages.routes))
        yield url
        pages.close()


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    """Serve the pages to those who sign in."""
    with serving_pages(site, PagesSettings(mode=PagesMode.SIGN_IN)) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Open a browser that has signed in nowhere."""
    context = browser.new_context()
    yield context
    context.close()


def signed_in(site: Site, url: str, login: str) -> requests.Session:
    """Sign in as somebody, without a browser."""
    site.office.fake_github.sign_in(login)
    session = requests.Session()
    assert session.get(f"{url}/sign-in?next=/board", timeout=60).url == f"{url}/board"
    return session


def comments(site: Site) -> list[tuple[str, str]]:
    """Return who wrote what on #7."""
    return [(comment.user.login, comment.body) for comment in site.office.issue(7).get_comments()]


def proof_of(page: str, action: str) -> str:
    """Return the proof in the form of an action."""
    return page.partition(f'action="{action}"')[2].partition('name="proof" value="')[2].partition('"')[0]


def test_a_maintainer_signs_in_and_asks_again_by_a_comment_of_their_own(
    site: Site, url: str, context: BrowserContext
) -> None:
    site.office.fake_github.sign_in(MAINTAINER)
    page = context.new_page()
    answer = page.goto(f"{url}/runs/1")
    assert answer is not None
    assert answer.status == 401
    page.get_by_role("link", name="Sign in with GitHub").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("#7 on release/1.0")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert "ghp_" not in cookie["value"]
    expect(page.get_by_role("banner")).to_contain_text(MAINTAINER)
    before = comments(site)
    page.get_by_role("button", name="Do it again").click()
    expect(page.get_by_text("Your comment is on GitHub.")).to_be_visible()
    assert comments(site)[len(before)] == (MAINTAINER, "/backport release/1.0")
    page.get_by_role("button", name="Do it again").click()
    expect(page.get_by_text("This was asked for a moment ago, so nothing more was done.")).to_be_visible()
    site.settle()
    assert [body for login, body in comments(site) if login == MAINTAINER] == ["/backport release/1.0"] * 2
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_nobody_sees_a_repository_that_github_does_not_show_them(site: Site, url: str) -> None:
    session = signed_in(site, url, MAINTAINER)
    assert "acme/widget" in session.get(f"{url}/board", timeout=60).text
    assert session.get(f"{url}/board?repository=a/b", timeout=60).status_code == 404
    assert "a/b" not in session.get(f"{url}/board", timeout=60).text


class _SeesNothing(PublicAccess):
    def visible(self, reader: Reader, repositories: Sequence[KnownRepository]) -> list[KnownRepository]:
        return []


def test_who_sees_no_repository_yet_is_told_so_on_every_page(site: Site) -> None:
    pages = Pages(site.database, site.service.repositories, _SeesNothing())
    with run_server(Starlette(routes=pages.routes)) as url:
        for path in ("/", "/board", "/repositories"):
            page = requests.get(url + path, timeout=60)
            assert (page.status_code, "acme" in page.text) == (200, False), path
        assert "No repository" in requests.get(f"{url}/board", timeout=60).text
        assert requests.get(f"{url}/board?repository=acme/widget", timeout=60).status_code == 404
        pages.close()


def test_what_was_recorded_of_a_repository_is_not_shown_to_those_who_see_another_one_of_its_name(
    site: Site, url: str
) -> None:
    run = record_hostile(site.database, repository_id=4711)
    session = signed_in(site, url, MAINTAINER)
    try:
        assert session.get(f"{url}/runs/1", timeout=60).status_code == 200
        for path in (f"/runs/{run}", f"/events?run={run}", f"/runs/{'9' * 30}", f"/runs/{'9' * 5000}"):
            assert session.get(url + path, timeout=60).status_code == 404
        for path in ("/", "/board?repository=acme/widget&state=all"):
            page = session.get(url + path, timeout=60)
            assert page.status_code == 200
            assert "taken" not in page.text
    finally:
        with site.database.transaction() as connection:
            connection.execute("DELETE FROM backport_request WHERE repository_id = 4711")


def test_who_may_not_write_changes_nothing(site: Site, url: str) -> None:
    session = signed_in(site, url, "ann")
    page, before = session.get(f"{url}/runs/1", timeout=60).text, comments(site)
    answer = session.post(f"{url}/runs/1/redo", {"proof": proof_of(page, "/runs/1/redo")}, timeout=60)
    assert answer.status_code == 403
    assert "GitHub says that ann may not do this" in answer.text
    assert comments(site) == before


@pytest.mark.parametrize("action", ["/runs/1/redo", "/runs/1/cancel", "/sign-out"])
@pytest.mark.parametrize("forgery", ["no proof", "proof of another action", "proof of another session", "other origin"])
def test_a_form_of_somebody_else_does_nothing(site: Site, url: str, action: str, forgery: str) -> None:
    session, before = signed_in(site, url, MAINTAINER), comments(site)
    page = session.get(f"{url}/runs/1", timeout=60).text
    form, headers = {"proof": proof_of(page, "/runs/1/redo")}, {}
    if forgery == "no proof":
        form = {}
    elif forgery == "proof of another action":
        form = {"proof": proof_of(page, "/runs/1/redo" if action != "/runs/1/redo" else "/sign-out")}
    elif forgery == "proof of another session":
        other_page = signed_in(site, url, MAINTAINER).get(f"{url}/runs/1", timeout=60).text
        form = {"proof": proof_of(other_page, action) or proof_of(other_page, "/runs/1/redo")}
    else:
        form, headers = {"proof": proof_of(page, action)}, {"origin": "https://evil.example"}
    assert session.post(url + action, form, headers=headers, timeout=60).status_code == 403
    assert comments(site) == before
    assert session.get(f"{url}/runs/1", timeout=60).status_code == 200, "the session goes on"
    assert requests.post(url + action, form, timeout=60).status_code == 401, "without a session"


def test_a_sign_in_that_another_browser_began_ends_nowhere(site: Site, url: str) -> None:
    site.office.fake_github.sign_in(MAINTAINER)
    attacker, victim = requests.Session(), requests.Session()
    to_github = attacker.get(f"{url}/sign-in", allow_redirects=False, timeout=60).headers["location"]
    back = requests.get(to_github, allow_redirects=False, timeout=60).headers["location"]
    victim.get(f"{url}/sign-in", allow_redirects=False, timeout=60)
    assert victim.get(back, timeout=60).status_code == 400
    assert victim.get(f"{url}/", timeout=60).status_code == 401
    assert attacker.get(back, timeout=60).status_code == 200
    assert requests.get(back, cookies=attacker.cookies, timeout=60).status_code in (400, 502), "a code works once"


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "/\tevil"])
def test_a_sign_in_leads_to_our_own_pages_alone(site: Site, url: str, path: str) -> None:
    site.office.fake_github.sign_in(MAINTAINER)
    assert requests.Session().get(f"{url}/sign-in", params={"next": path}, timeout=60).url == f"{url}/"


@pytest.mark.parametrize(
    ("proxies", "headers", "status"),
    [
        (["127.0.0.1"], {"x-user": MAINTAINER}, 200),
        (["127.0.0.0/8"], {}, 403),
        (["10.0.0.0/8"], {"x-user": MAINTAINER}, 403),
        (["10.0.0.0/8"], {"x-user": MAINTAINER, "x-forwarded-for": "10.0.0.1"}, 403),
    ],
)
def test_a_header_counts_only_if_the_proxy_sends_it(
    site: Site, proxies: Sequence[str], headers: dict[str, str], status: int
) -> None:
    settings = PagesSettings(mode=PagesMode.SIGN_IN, trust_header="X-User", proxies=proxies)
    with serving_pages(site, settings) as url:
        answer = requests.get(f"{url}/runs/1", headers=headers, timeout=60)
        assert answer.status_code == status
        assert "/redo" not in answer.text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (PagesSettings(mode=PagesMode.SIGN_IN), "BACKPORT_BOT_CLIENT_ID"),
        (PagesSettings(mode=PagesMode.SIGN_IN, client_id="a", client_secret="b"), "--url"),
        (PagesSettings(mode=PagesMode.SIGN_IN, trust_header="X-User"), "--trust-proxy"),
        (PagesSettings(mode=PagesMode.SIGN_IN, trust_header="X-User", proxies=["proxy"]), "no address"),
        (PagesSettings(mode=PagesMode.PUBLIC, trust_header="X-User"), "--pages sign-in"),
    ],
)
def test_settings_that_would_let_in_anybody_or_nobody_are_refused(settings: PagesSettings, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.check()
    assert words in f"{caught.value.message} {caught.value.hint}"
