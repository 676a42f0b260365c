"""The fake GitHub's records as the values of GraphQL's types."""

from __future__ import annotations

from bot.fake_github.accounts import User
from bot.fake_github.conversation import Comment, Issue, Pull, ReviewThread
from bot.fake_github.github_state import World
from bot.fake_github.graphql.paging import Values, connection, rejection
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.issues import issue_page
from bot.fake_github.serializers.users import node_id, stamp


def repository(world: World, record: Repository) -> Values:
    """Return a repository's values."""
    return {
        "__typename": "Repository",
        "id": node_id("R", record.id),
        "pullRequest": lambda _info, number: _pull_request_of(world, record, number),
    }


def _pull_request_of(world: World, repository: Repository, number: int) -> Values:
    issue = repository.issues.get(number)
    if issue is None or issue.pull is None:
        raise rejection("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return pull_request(world, repository, issue, issue.pull)


def pull_request(world: World, repository: Repository, issue: Issue, pull: Pull) -> Values:
    """Return a pull request's values."""
    page = issue_page(world, repository, issue)
    return {
        "__typename": "PullRequest",
        "id": node_id("PR", pull.id),
        "isDraft": pull.draft,
        "reviewThreads": connection(pull.review_threads, lambda thread: _thread(page, thread)),
    }


def comment(record: Comment) -> Values:
    """Return the values of a comment of the conversation."""
    return {"__typename": "IssueComment", "id": node_id("IC", record.id), "lastEditedAt": stamp(record.edited_at)}


def _thread(page: str, record: ReviewThread) -> Values:
    return {
        "id": node_id("PRRT", record.id),
        "path": record.path,
        "line": record.line,
        "isResolved": record.resolver is not None,
        "comments": connection([record], lambda thread: _first_comment(page, thread)),
    }


def _first_comment(page: str, thread: ReviewThread) -> Values:
    return {
        "id": node_id("PRRC", thread.id),
        "author": _actor(thread.user),
        "body": thread.body,
        "url": f"{page}#discussion_r{thread.id}",
    }


def _actor(user: User) -> Values:
    """Return an account's values. A bot's login has no [bot] here, as on GitHub."""
    login = user.login.removesuffix("[bot]")
    return {"__typename": user.type, "id": node_id("U", user.id), "login": login}
