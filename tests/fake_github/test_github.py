"""The fake GitHub as a thing to hold: it starts quickly, says clearly what is wrong, and ends without a trace."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
import requests

from bot.errors import BackportError
from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME


def open_sockets() -> int:
    """Count this process's sockets."""
    links = Path("/proc/self/fd")
    return sum(str(link.readlink()).startswith("socket:") for link in links.iterdir() if link.is_symlink())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts sockets in /proc, which only Linux has")
def test_end_leaves_no_thread_and_no_socket(tmp_path: Path) -> None:
    gc.collect()
    threads, sockets = threading.active_count(), open_sockets()
    with FakeGitHub.start(tmp_path) as fake_github, requests.Session() as session:
        assert session.get(f"{fake_github.api_url}/app", timeout=60).status_code == 401
        url = fake_github.api_url
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        if thread.name.startswith("AnyIO"):
            thread.join(60)
    assert (threading.active_count(), open_sockets()) == (threads, sockets)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/app", timeout=60)


def test_two_fake_githubs_run_side_by_side(tmp_path: Path) -> None:
    with FakeGitHub.start(tmp_path / "one") as first, FakeGitHub.start(tmp_path / "two") as second:
        token = first.add_user("ann")
        header = {"Authorization": f"token {token}"}
        assert requests.get(f"{first.api_url}/user", headers=header, timeout=60).json()["login"] == "ann"
        assert requests.get(f"{second.api_url}/user", headers=header, timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"merge_commit_sha": "f" * 40}, "has no commit ffff"),
        ({"head": "nope", "merged": False}, "no commit for the head branch"),
        ({"base": "nope"}, "no commit for the base branch"),
        ({"number": 7}, "is there already"),
    ],
)
def test_impossible_history_is_refused_and_leaves_nothing(
    arguments: dict[str, object], message: str, fake_github: FakeGitHub, original: int
) -> None:
    wish: dict[str, object] = {"title": "t", "author": "ann", "head": "release/v1"} | arguments
    with pytest.raises(BackportError, match=message):
        fake_github.seed_pull_request(NAME, **wish)  # type: ignore[arg-type]
    assert fake_github.seed_issue(NAME, title="next", author="ann") == 8


def test_unknown_repository_and_account_are_named(fake_github: FakeGitHub) -> None:
    with pytest.raises(BackportError, match="no repository acme/other"):
        fake_github.grant("acme/other", "ann", "read")
    with pytest.raises(BackportError, match="no account zoe"):
        fake_github.add_token("zoe")


def test_every_url_in_an_answer_is_the_fakes_own(fake_github: FakeGitHub, original: int) -> None:
    text = requests.get(f"{fake_github.api_url}/repos/{NAME}/pulls/{original}", timeout=60).text
    assert text.count(fake_github.url) > 50
    assert "github.com" not in text
