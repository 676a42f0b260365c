"""What nobody planned for: accounts and forks that are gone, names that are strange, texts and series that are huge."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.commands.triggers import parse_delivery
from bot.errors import BackportError
from bot.handlers.serve_trigger import answer
from bot.models import Failed, Opened, TargetOutcome, WouldOpen
from tests.commands.test_triggers import examples
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import BOT, REPOSITORY, Office, git

pytestmark = pytest.mark.long

__all__ = ["examples"]

ASK = "/backport release/1.2"
STRANGE = (
    "release/\N{ROCKET}",
    "release/ü",
    "release/e\N{COMBINING ACUTE ACCENT}",
    "release/'quoted'",
    'release/"double"',
    "release/`tick`",
    "release/a|b",
    "release/<b>",
    "release/$(touch x)".replace(" ", "${IFS}"),
    "release/%2e%2e",
    "release/&amp;",
    "release/-dash",
    "release/a@b",
    "release/#7",
    "release/--",
    "release/" + "x" * 190,
)


@pytest.fixture
def lenient(office: Office) -> Office:
    """Return an office in which nothing is proven, so that nothing has to run."""
    return unproven(office)


def _raw(office: Office, path: str) -> Any:
    token = office.fake_github.add_token(BOT)
    response = requests.get(
        f"{office.fake_github.api_url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    return response.json()


def _answer_with(office: Office, path: str, body: object) -> None:
    """Let GitHub answer so from now on."""
    for _ in range(50):
        office.fake_github.fail_next("GET", f"^/repos/{REPOSITORY}{path}$", 200, body=body)


# --- who is gone ------------------------------------------------------------------------------------------------------


def test_an_original_whose_author_is_gone_is_backported(lenient: Office) -> None:
    lenient.fake_github.delete_user("ann")
    lenient.fake_github.seed_comment(REPOSITORY, 9, author="ann", body=ASK)
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, Opened)
    assert "by ghost" in lenient.backports()[0].body


def test_by_rest_an_original_whose_author_merger_and_fork_are_gone_is_backported(lenient: Office) -> None:
    lenient.fake_github.without_fields("IssueComment.fullDatabaseId")
    pull = _raw(lenient, f"/repos/{REPOSITORY}/pulls/9")
    pull |= {"user": None, "merged_by": None, "head": pull["head"] | {"repo": None, "user": None, "label": "unknown:t"}}
    _answer_with(lenient, "/pulls/9", pull)
    (outcome,) = lenient.say(ASK, on=9)
    lenient.fake_github.fail_no_more()
    assert isinstance(outcome, Opened)
    assert "by ghost" in lenient.backports()[0].body


def test_commits_without_an_author_are_picked(lenient: Office) -> None:
    """GitHub's own description allows for that, as of commits that old tools wrote."""
    merged = git(lenient.git_dir, "rev-parse", "pull-9^{commit}")
    commit = _raw(lenient, f"/repos/{REPOSITORY}/commits/{merged}")
    plain_text = commit | {
        "author": None,
        "committer": None,
        "commit": commit["commit"] | {"author": None, "committer": None},
    }
    _answer_with(lenient, f"/commits/{merged}", plain_text)
    _answer_with(lenient, "/pulls/9/commits", [plain_text])
    (outcome,) = lenient.say(ASK, on=9)
    lenient.fake_github.fail_no_more()
    assert isinstance(outcome, Opened)


def test_comments_of_nobody_are_nobodys(lenient: Office) -> None:
    lenient.fake_github.without_fields("IssueComment.fullDatabaseId")
    comment = lenient.issue(9).create_comment(ASK)
    nobodys = _raw(lenient, f"/repos/{REPOSITORY}/issues/9/comments")[0] | {"id": 1, "user": None, "body": None}
    own_text = nobodys | {"body": f"<!-- backport-bot:status:comment-{comment.id}-0 -->\n"}
    _answer_with(lenient, "/issues/9/comments", [nobodys, own_text])
    lenient.serve(comment.id, ASK, on=9)
    lenient.fake_github.fail_no_more()
    assert lenient.answers(9)


def test_a_label_that_somebody_put_there_who_is_gone_asks_for_nothing(lenient: Office) -> None:
    label = "backport release/1.2"
    lenient.issue(9).add_to_labels(label)
    events = [item | {"actor": None} for item in _raw(lenient, f"/repos/{REPOSITORY}/issues/9/events")]
    _answer_with(lenient, "/issues/9/events", events)
    merged = {
        "action": "closed",
        "pull_request": {"number": 9, "merged": True},
        "repository": {"full_name": REPOSITORY},
    }
    trigger = parse_delivery("pull_request", merged)
    assert trigger is not None
    assert answer(trigger, lenient.context) == ()


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        f"{ASK}\r\n\r\nThank you!\r\n",
        f"Thank you!\r\n\r\n{ASK}\r\n",
        f"{ASK}\n\n" + "\N{ROCKET}" * (65_536 - len(ASK) - 2),
        "\N{ROCKET}" * (65_536 - len(ASK) - 2) + f"\n\n{ASK}",
        f"{ASK}\n\n" + "[" * 20_000,
    ],
    ids=["CRLF", "CRLF before", "longest", "longest before", "brackets"],
)
def test_a_command_is_read_whatever_stands_beside_it(lenient: Office, body: str) -> None:
    (outcome,) = lenient.say(body, on=9)
    assert isinstance(outcome, Opened)


@pytest.mark.parametrize("target", ["\ud83d", "\x00", "\x1b[31m", "\u200b", "\ufdd0", "<!-- -->", "--\ud83d"])
def test_characters_that_are_none_are_answered_and_start_nothing(lenient: Office, target: str) -> None:
    comment = lenient.issue(9).create_comment("As the webhook tells it, not as GitHub keeps it.")
    before = lenient.branches()
    results = lenient.serve(comment.id, f"/backport release/1.2{target}", on=9)
    assert not [result for result in results if not isinstance(result, Failed)]
    assert lenient.branches() == before
    assert re.search("Nothing was started|nothing was opened", lenient.answers(9)[0])


def test_the_longest_texts_of_an_original_still_give_a_pull_request(lenient: Office) -> None:
    write(lenient, "topic", {"widget/first.py": "A = 1\n"}, "First", onto="main")
    pull = open_pull(lenient, "topic", title="\N{ROCKET}@mia" * 51, body="Fixes #7\r\n" * 6_500)
    pull.merge(merge_method="squash")
    (outcome,) = lenient.say(ASK, on=pull.number)
    assert isinstance(outcome, Opened)
    (backport,) = lenient.backports()
    assert len(backport.title) <= 256
    assert len(backport.body) <= 65_536


# --- branch names -----------------------------------------------------------------------------------------------------


def _rows(answered: str) -> list[str]:
    return [line for line in answered.splitlines() if line.startswith("| `")]


def test_branches_with_strange_names_are_served_like_others(lenient: Office) -> None:
    for name in STRANGE:
        git(lenient.git_dir, "update-ref", f"refs/heads/{name}", "release/1.2")
    results = lenient.say("/backport release/**", on=9)
    opened_values = {result.target: result for result in results if isinstance(result, Opened)}
    assert set(STRANGE) <= opened_values.keys(), {r.target: r for r in results if not isinstance(r, Opened)}
    assert len({item.pull_request.head for item in opened_values.values()}) == len(opened_values), (
        "each has a branch of its own"
    )
    assert len(_rows(lenient.answers(9)[0])) == len(results)
    assert not Path("x").exists()


@pytest.mark.parametrize(
    "name",
    [
        "-release",
        "--force",
        "a..b",
        "a b",
        "a\N{NO-BREAK SPACE}b",
        "\u202erelease/1.2",
        "refs/heads/x.lock",
        "@",
        "HEAD",
    ],
)
def test_a_name_that_no_branch_should_have_starts_nothing(lenient: Office, name: str) -> None:
    before = lenient.branches()
    results = lenient.say(f"/backport {name}", on=9)
    assert not [result for result in results if not isinstance(result, Failed)]
    assert lenient.branches() == before


def test_two_hundred_branches_are_too_many_for_one_command(lenient: Office) -> None:
    for number in range(200):
        git(lenient.git_dir, "update-ref", f"refs/heads/release/2.{number}", "release/1.2")
    assert lenient.say("/backport release/2.*", on=9) == ()
    assert "200 branches" in lenient.answers(9)[0]


# --- series -----------------------------------------------------------------------------------------------------------


def _series(office: Office, length: int) -> None:
    """Put that many commits on a branch `topic`, quicker than one after the other by porcelain."""
    tip = git(office.git_dir, "rev-parse", "main")
    stream = [f"reset refs/heads/topic\nfrom {tip}\n"]
    for number in range(length):
        message = f"Step {number}"
        stream.append(
            f"commit refs/heads/topic\nauthor Bea <bea@widget.example> {1767312000 + number} +0000\n"
            f"committer Bea <bea@widget.example> {1767312000 + number} +0000\ndata {len(message)}\n{message}\n"
            f"M 100644 inline widget/steps.py\ndata {len(str(number)) + 6}\nAT = {number}\n\n"
        )
    git(office.git_dir, "fast-import", "--quiet", stdin="".join(stream))


@pytest.mark.parametrize(
    ("method", "picked_count"), [("rebase", 250), ("merge", 250), ("squash", 1)], ids=["rebase", "merge", "squash"]
)
def test_a_pull_request_of_250_commits_is_picked_as_it_was_merged(
    lenient: Office, method: str, picked_count: int
) -> None:
    _series(lenient, 250)
    pull = open_pull(lenient, "topic", title="Many steps")
    pull.merge(merge_method=method)
    (result,) = lenient.say(f"{ASK} --dry-run", on=pull.number)
    assert isinstance(result, WouldOpen), result
    assert len(result.candidate.commits) == picked_count


# --- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.node
def test_every_example_of_github_is_served_without_a_crash_and_without_an_effect(
    lenient: Office, examples: list[dict[str, Any]]
) -> None:
    """The people in the examples are nobody here, whatever their payloads say of them."""
    before = lenient.branches()
    outcomes: list[TargetOutcome] = []
    for event in examples:
        for payload in event["examples"]:
            local_payload = json.loads(json.dumps(payload).replace("Codertocat/Hello-World", REPOSITORY))
            trigger = parse_delivery(event["name"], local_payload, own_login=BOT)
            if trigger is not None:
                try:
                    outcomes += answer(trigger, lenient.context)
                except BackportError:
                    continue  # there is no such pull request: told, and no crash
    assert outcomes == []
    assert lenient.branches() == before
