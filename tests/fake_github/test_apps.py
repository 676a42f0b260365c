"""A GitHub App signs for itself and gets short-lived tokens, narrowed to what it was installed with."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from github import Auth, Github, GithubIntegration
from github.GithubException import GithubException

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME, People

PERMISSIONS = {"contents": "write", "pull_requests": "write", "checks": "write", "metadata": "read"}


def test_app_acts_through_its_installation(fake_github: FakeGitHub, people: People, original: int) -> None:
    app, key = fake_github.add_app("backporter", [NAME], PERMISSIONS)
    with GithubIntegration(auth=Auth.AppAuth(app.id, key), base_url=fake_github.api_url) as integration:
        assert integration.get_app().slug == "backporter"
        installation = integration.get_repo_installation("acme", "engine")
        token = integration.get_access_token(installation.id)
    client = people.client(token.token)
    repository = client.get_repo(NAME)
    comment = repository.get_issue(original).create_comment("from the app")
    assert (comment.user.login, comment.user.type) == ("backporter[bot]", "Bot")
    run = repository.create_check_run("suite", repository.get_branch("main").commit.sha)
    assert run.app.slug == "backporter"
    with pytest.raises(GithubException) as refusal:
        client.get_user().login  # noqa: B018 - the access asks the server
    assert refusal.value.status == 403


def test_installation_token_reaches_its_repositories_only(fake_github: FakeGitHub, people: People) -> None:
    fake_github.create_repository("acme/secret", private=True)
    app, key = fake_github.add_app("backporter", [NAME], PERMISSIONS)
    auth = Auth.AppAuth(app.id, key).get_installation_auth(app.installation_id)
    client = Github(auth=auth, base_url=fake_github.api_url, retry=None)
    people.clients.append(client)
    assert client.get_repo(NAME).full_name == NAME
    with pytest.raises(GithubException) as refusal:
        client.get_repo("acme/secret")
    assert refusal.value.status == 404


def test_an_app_sees_all_its_installations_and_the_repositories_of_each(fake_github: FakeGitHub) -> None:
    fake_github.create_repository("acme/tools")
    fake_github.create_repository("Other/thing")
    app, key = fake_github.add_app("backporter", [NAME, "Other/thing", "acme/tools"], PERMISSIONS)
    with GithubIntegration(auth=Auth.AppAuth(app.id, key), base_url=fake_github.api_url) as integration:
        names = {
            installation.account.login: [repository.full_name for repository in installation.get_repos()]
            for installation in integration.get_installations()
        }
    assert names == {"acme": [NAME, "acme/tools"], "Other": ["Other/thing"]}


def test_word_signed_with_another_key_is_refused(fake_github: FakeGitHub) -> None:
    app, _ = fake_github.add_app("backporter", [NAME], PERMISSIONS)
    _, other_key = fake_github.add_app("impostor", [], PERMISSIONS)
    jwt = Auth.AppAuth(app.id, other_key).create_jwt()
    answer = requests.get(f"{fake_github.api_url}/app", headers={"Authorization": f"Bearer {jwt}"}, timeout=60)
    assert answer.status_code == 401


def test_an_app_registered_from_a_manifest_shows_what_it_is_and_gives_its_secrets_once(fake_github: FakeGitHub) -> None:
    """The answers of these endpoints are held against GitHub's own description, as all of this folder's tests are."""
    fake_github.sign_in("mia")
    manifest = {
        "name": "Porter",
        "url": "https://bot.example",
        "hook_attributes": {"url": "https://bot.example/webhook"},
        "redirect_url": "http://127.0.0.1:9/back",
        "default_permissions": {"contents": "write"},
        "default_events": ["pull_request"],
    }
    form = {"manifest": json.dumps(manifest), "name": "Porter", "state": "s"}
    led = requests.post(f"{fake_github.url}/settings/apps", data=form, allow_redirects=False, timeout=60)
    answer = parse_qs(urlsplit(led.headers["Location"]).query)
    assert answer["state"] == ["s"]
    conversion = f"{fake_github.api_url}/app-manifests/{answer['code'][0]}/conversions"
    registered = requests.post(conversion, timeout=60)
    assert registered.status_code == 201
    assert requests.post(conversion, timeout=60).status_code == 404
    fake_github.install_app("porter", [NAME])
    auth = Auth.AppAuth(registered.json()["id"], registered.json()["pem"])
    header = {"Authorization": f"Bearer {auth.create_jwt()}"}
    hook = requests.get(f"{fake_github.api_url}/app/hook/config", headers=header, timeout=60).json()
    assert hook == {
        "url": "https://bot.example/webhook",
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********",
    }


@pytest.mark.parametrize("lacking", ["url", "redirect_url", "manifest"])
def test_a_manifest_that_lacks_what_github_requires_is_refused(fake_github: FakeGitHub, lacking: str) -> None:
    fake_github.sign_in("mia")
    manifest = {"name": "Porter", "url": "https://bot.example", "redirect_url": "http://127.0.0.1:9/back"}
    manifest.pop(lacking, None)
    text = "no JSON" if lacking == "manifest" else json.dumps(manifest)
    asked = requests.post(f"{fake_github.url}/settings/apps/new", data={"manifest": text}, timeout=60)
    assert asked.status_code == 422


def test_an_installed_app_hears_of_events_and_can_see_how_they_were_answered(
    fake_github: FakeGitHub, people: People, original: int
) -> None:
    app, key = fake_github.add_app("backporter", [], PERMISSIONS)
    app.events, app.webhook_url, app.webhook_secret = ["issue_comment"], "http://127.0.0.1:9/", "s"
    fake_github.install_app("backporter", [NAME])
    fake_github.add_webhook(NAME, "http://127.0.0.1:9/own", "", ["issue_comment"])
    admin = people.repository("ada", "admin")
    assert [hook.last_response.status for hook in admin.get_hooks()] == ["unused"]
    admin.get_issue(original).create_comment("Hello")
    fake_github.wait_for_deliveries()
    header = {"Authorization": f"Bearer {Auth.AppAuth(app.id, key).create_jwt()}"}
    delivery, installed = requests.get(f"{fake_github.api_url}/app/hook/deliveries", headers=header, timeout=60).json()
    assert (delivery["event"], delivery["action"], delivery["status_code"]) == ("issue_comment", "created", 0)
    assert (installed["event"], installed["action"]) == ("installation_repositories", "added")
    (hook,) = admin.get_hooks()
    assert (hook.events, hook.config["url"], hook.last_response.code) == (
        ["issue_comment"],
        "http://127.0.0.1:9/own",
        0,
    )
