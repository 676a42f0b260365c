"""A GitHub App, registered as a person does it: a page here, two pages on GitHub, and the way back."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
import requests
from github import Auth, GithubIntegration
from typer.testing import CliRunner

from bot.adoption.app_file import reserved_file
from bot.adoption.app_manifest import app_manifest
from bot.adoption.app_page import registration_page
from bot.adoption.rights import APP_EVENTS, RIGHTS, app_permissions
from bot.cli import app as program
from bot.cli.github_app import OptionalRight
from bot.environment import credentials
from bot.errors import ConfigError, GitHubError
from bot.fake_github import FakeGitHub
from bot.github.app_registration import RegisteredApp, convert_manifest, web_url

NAME = "acme/widget"


@pytest.fixture
def fake_github(tmp_path: Path) -> Iterator[FakeGitHub]:
    """Serve a GitHub where mia is signed in, with a repository of the organization acme."""
    with FakeGitHub.start(tmp_path / "github") as fake:
        fake.create_repository(NAME)
        fake.add_user("mia")
        fake.sign_in("mia")
        yield fake


def fields(page: str) -> tuple[str, dict[str, str]]:
    """Return the action of a page's form, and its fields."""
    (action,) = re.findall(r'<form action="([^"]*)"', page)
    inputs = re.findall(r'<input [^>]*?name="(\w+)" value="([^"]*)"', page)
    return unescape(action), {name: unescape(value) for name, value in inputs}


def press_both_buttons(page_url: str, fake_github: FakeGitHub, *, name: str = "", answer: bool = True) -> str:
    """Follow the page as a browser would; return where GitHub leads to, after a look there if `answer`."""
    action, form = fields(requests.get(page_url, timeout=30).text)
    asked = requests.post(action, data=form, timeout=30)
    assert asked.status_code == 200, asked.text
    action, form = fields(asked.text)
    led = requests.post(
        fake_github.url + action, data=form | ({"name": name} if name else {}), allow_redirects=False, timeout=30
    )
    assert led.status_code == 302, led.text
    if answer:
        assert requests.get(led.headers["Location"], timeout=30).status_code == 200
    return str(led.headers["Location"])


def manifest(redirect_url: str) -> dict[str, object]:
    return app_manifest("Widget Porter", webhook_url="https://bot.example/webhook", redirect_url=redirect_url)


def test_the_command_registers_an_app_and_stores_what_it_needs(
    fake_github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the command to a signed-in bot: the file's variables are those that the bot reads."""
    opened: list[threading.Thread] = []

    def open_page(url: str) -> bool:
        opened.append(threading.Thread(target=press_both_buttons, args=(url, fake_github)))
        opened[0].start()
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    file = tmp_path / "secrets/app.env"
    options = ["--organization", "acme", "--webhook-url", "https://bot.example/webhook", "--file", str(file)]
    ran = CliRunner().invoke(
        program, ["app", "create", "--name", "porter", "--minutes", "0.5", *options, "--api-url", fake_github.api_url]
    )
    opened[0].join()
    assert ran.exit_code == 0, ran.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    variables = dict(line.split("=", 1) for line in file.read_text().splitlines() if not line.startswith("#"))
    assert variables[credentials.PRIVATE_KEY].strip("'") not in ran.output
    assert variables[credentials.WEBHOOK_SECRET] not in ran.output
    assert f"{fake_github.url}/apps/porter/installations/new" in ran.output
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    account = credentials.require_account("nothing was done")
    assert isinstance(account, credentials.AppKey)
    installed = fake_github.install_app("porter", [NAME])
    auth = Auth.AppAuth(account.app_id, account.private_key)
    with GithubIntegration(auth=auth, base_url=fake_github.api_url) as integration:
        app = integration.get_app()
        assert (app.slug, app.raw_data["owner"]["login"], app.events) == ("porter", "acme", list(APP_EVENTS))
        assert integration.get_repo_installation("acme", "widget").id == installed.installation_id
    assert installed.permissions == app_permissions()
    assert installed.webhook_url == "https://bot.example/webhook"


def test_an_app_without_a_service_gets_no_events(fake_github: FakeGitHub) -> None:
    with registration_page(lambda url: app_manifest("quiet", redirect_url=url), github_url=fake_github.url) as page:
        press_both_buttons(page.url, fake_github)
        code = page.code(0)
        assert code is not None
        convert_manifest(code, api_url=fake_github.api_url)
    (app,) = fake_github.world.apps.values()
    assert (app.owner.login, app.events, app.webhook_url) == ("mia", [], "")


@pytest.mark.parametrize(
    "change",
    [
        lambda url: re.sub(r"state=[^&]*", "state=guessed", url),
        lambda url: re.sub(r"&state=[^&]*", "", url),
        lambda url: re.sub(r"code=[^&]*", "code=", url),
    ],
    ids=["another state", "no state", "no code"],
)
def test_an_answer_to_another_page_is_not_taken(fake_github: FakeGitHub, change: Callable[[str], str]) -> None:
    with registration_page(manifest, github_url=fake_github.url) as page:
        address = press_both_buttons(page.url, fake_github, answer=False)
        assert requests.get(change(address), timeout=30).status_code == 400
        assert page.code(0) is None
        assert requests.get(address, timeout=30).status_code == 200
        assert page.code(0) is not None


def test_the_page_is_only_for_who_knows_its_address(fake_github: FakeGitHub) -> None:
    with registration_page(manifest, github_url=fake_github.url) as page:
        root = page.url.rpartition("/")[0]
        assert requests.get(f"{root}/", timeout=30).status_code == 404
        assert requests.get(f"{root}/callback", timeout=30).status_code == 404
        rebound = requests.get(page.url, headers={"Host": "evil.example"}, timeout=30)
        assert rebound.status_code == 400
        assert "state=" not in rebound.text


def test_a_code_works_once(fake_github: FakeGitHub) -> None:
    with registration_page(manifest, github_url=fake_github.url) as page:
        press_both_buttons(page.url, fake_github)
        code = page.code(0)
    assert code is not None
    assert convert_manifest(code, api_url=fake_github.api_url).slug == "widget-porter"
    for used in (code, "unknown", "../app"):
        with pytest.raises(GitHubError, match="did not give the App's secrets"):
            convert_manifest(used, api_url=fake_github.api_url)


def test_a_name_that_is_taken_is_told_by_github_and_nothing_is_stored(fake_github: FakeGitHub) -> None:
    fake_github.add_app("widget-porter", [NAME], {})
    with registration_page(manifest, github_url=fake_github.url) as page:
        action, form = fields(requests.get(page.url, timeout=30).text)
        action, form = fields(requests.post(action, data=form, timeout=30).text)
        assert requests.post(fake_github.url + action, data=form, timeout=30).status_code == 422
        assert press_both_buttons(page.url, fake_github, name="Another Porter")
        assert page.code(0) is not None


def test_without_an_answer_the_file_is_gone_again(fake_github: FakeGitHub, tmp_path: Path) -> None:
    file = tmp_path / "app.env"
    words = ["app", "create", "--no-browser", "--minutes", "0", "--file", str(file), "--api-url", fake_github.api_url]
    with pytest.raises(ConfigError, match="GitHub led nobody back"):
        CliRunner().invoke(program, words, catch_exceptions=False)
    assert not file.exists()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "app.env"
    file.write_text("another App's")
    with pytest.raises(ConfigError, match="is there already"), reserved_file(file):
        pytest.fail("it was opened")
    assert file.read_text() == "another App's"


def test_a_shell_reads_the_file_as_the_bot_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nAB+/=\n-----END RSA PRIVATE KEY-----"
    file = tmp_path / "app.env"
    with reserved_file(file) as store:
        store(RegisteredApp("7", "porter", "https://github.com/apps/porter", key, "secret"))
    script = f'set -a; . {file}; printf "%s" "$BACKPORT_BOT_PRIVATE_KEY"'
    read = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    monkeypatch.setenv(credentials.APP_ID, "7")
    monkeypatch.setenv(credentials.PRIVATE_KEY, read)
    assert credentials.require_account("") == credentials.AppKey("7", key)


def test_the_manifest_is_printed_without_a_registration() -> None:
    ran = CliRunner().invoke(program, ["app", "manifest", "--with", "workflows"])
    assert ran.exit_code == 0, ran.output
    printed = json.loads(ran.output)
    assert printed["default_permissions"] == {**app_permissions(), "workflows": "write"}
    assert printed["public"] is False


def test_people_who_sign_in_are_led_back_to_the_pages_beside_the_webhook(tmp_path: Path) -> None:
    manifest = app_manifest("porter", webhook_url="https://backports.example/webhook")
    assert manifest["callback_urls"] == ["https://backports.example/sign-in/callback"]
    file = tmp_path / "app.env"
    with reserved_file(file) as store:
        store(RegisteredApp("7", "porter", "https://github.com/apps/porter", "key", "hook", "Iv1.7", "client"))
    assert {"BACKPORT_BOT_CLIENT_ID=Iv1.7", "BACKPORT_BOT_CLIENT_SECRET=client"} <= set(file.read_text().splitlines())


def test_each_right_with_a_condition_can_be_asked_for() -> None:
    assert {right.value for right in OptionalRight} == {right.name for right in RIGHTS if right.condition}


@pytest.mark.parametrize(
    ("api_url", "pages"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://ghe.example/api/v3", "https://ghe.example"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
    ],
)
def test_the_pages_are_found_by_the_api(api_url: str, pages: str) -> None:
    assert web_url(api_url) == pages
