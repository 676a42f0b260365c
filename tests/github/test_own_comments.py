"""What the client remembers of the bot's own comments: it saves listing them again, and is never the last word."""

from __future__ import annotations

import pytest

from bot.errors import GitHubError
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office

MARKER = "<!-- mark -->"


def test_a_comment_that_was_seen_is_edited_without_another_look(office: Office) -> None:
    first = office.context.github.write_comment(7, f"{MARKER}a", marker=MARKER)
    office.context.github.conversation(7)
    before = len(office.fake_github.requests())
    assert office.context.github.write_comment(7, f"{MARKER}b", marker=MARKER) == first
    assert [request.method for request in office.fake_github.requests()[before:]] == ["PATCH"]
    assert office.answers() == [f"{MARKER}b"]


def test_a_comment_that_a_person_deleted_since_is_written_again(office: Office) -> None:
    first = office.context.github.write_comment(7, f"{MARKER}a", marker=MARKER)
    office.context.github.conversation(7)
    office.people[MAINTAINER].get_repo(REPOSITORY).get_issue(7).get_comment(first).delete()
    second = office.context.github.write_comment(7, f"{MARKER}b", marker=MARKER)
    assert second != first
    assert office.context.github.write_comment(7, f"{MARKER}c", marker=MARKER) == second
    assert office.answers() == [f"{MARKER}c"]


def test_another_persons_comment_with_the_marker_is_not_edited(office: Office) -> None:
    office.issue(7, as_="otto").create_comment(f"{MARKER}theirs")
    office.context.github.conversation(7)
    office.context.github.write_comment(7, f"{MARKER}ours", marker=MARKER)
    assert office.answers() == [f"{MARKER}ours"]
    assert [comment.body for comment in office.issue(7).get_comments()] == [f"{MARKER}theirs", f"{MARKER}ours"]


@pytest.mark.parametrize("path", [None, ["repository"]])
def test_half_an_answer_is_none(office: Office, path: list[str] | None) -> None:
    """A part that failed may be the comment that cancels."""
    error = {"type": "FORBIDDEN", "message": "Something went wrong", "path": path}
    body = {"data": {"repository": {"conversation": {"comments": {"nodes": []}}}}, "errors": [error]}
    office.fake_github.fail_next("POST", "graphql", 200, body=body)
    with pytest.raises(GitHubError, match="Something went wrong"):
        office.context.github.comments(7)
