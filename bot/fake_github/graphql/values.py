"""The fake GitHub's nouns as GraphQL sees them. Fields that cost git something are worked out only when asked for."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from bot.fake_github.accounts import User
from bot.fake_github.conversation import AutoMerge, Comment, Issue, Label, Pull, ReviewComment
from bot.fake_github.git_store import GitCommit
from bot.fake_github.graphql.paging import Values, connection, refused
from bot.fake_github.pull_requests import commits_of, trial_of
from bot.fake_github.serializers.commits import git_node
from bot.fake_github.serializers.issues import issue_page
from bot.fake_github.serializers.repositories import html_url
from bot.fake_github.serializers.users import node_id, stamp, user_json
from bot.fake_github.state import Repository
from bot.fake_github.world import World


def actor(world: World, user: User) -> Values:
    """Give an account as User, Bot or Organization. A bot's login has no [bot] here, as on GitHub."""
    shape = user_json(world, user)
    return {
        "__typename": user.type,
        "id": shape["node_id"],
        "databaseId": user.id,
        "login": user.login.removesuffix("[bot]"),
        "name": user.name,
        "url": shape["html_url"],
        "resourcePath": shape["html_url"].removeprefix(world.url),
        "avatarUrl": lambda _info, size=None: shape["avatar_url"],  # noqa: ARG005 - GraphQL names the argument
    }


def repository(world: World, here: Repository) -> Values:
    """Give a repository."""
    return {
        "__typename": "Repository",
        "id": node_id("R", here.id),
        "databaseId": here.id,
        "name": here.name,
        "nameWithOwner": here.full_name,
        "isPrivate": here.private,
        "url": html_url(world, here),
        "pullRequest": lambda info, number: _numbered(world, here, number),  # noqa: ARG005 - graphql-core passes info
    }


def _numbered(world: World, here: Repository, number: int) -> Values:
    issue = here.issues.get(number)
    if issue is None or issue.pull is None:
        raise refused("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    return pull_request(world, here, issue, issue.pull)


def pull_request(world: World, here: Repository, issue: Issue, pull: Pull) -> Values:
    """Give a pull request."""
    git = here.git
    threads = [one for one in pull.review_comments if one.thread == one.id]
    return {
        "__typename": "PullRequest",
        "id": node_id("PR", pull.id),
        "number": issue.number,
        "title": issue.title,
        "body": issue.body or "",
        "url": issue_page(world, here, issue),
        "state": "MERGED" if pull.merged else issue.state.upper(),
        "closed": issue.state == "closed",
        "isDraft": pull.draft,
        "isCrossRepository": pull.head_repository is not here,
        "locked": issue.locked,
        "merged": pull.merged,
        "mergeable": lambda _info: _mergeable(here, pull),
        "author": actor(world, issue.user),
        "mergedBy": actor(world, pull.merged_by) if pull.merged_by else None,
        "createdAt": stamp(issue.created_at),
        "updatedAt": stamp(issue.updated_at),
        "closedAt": stamp(issue.closed_at),
        "mergedAt": stamp(pull.merged_at),
        "baseRefName": pull.base,
        "baseRefOid": pull.base_sha,
        "headRefName": pull.head,
        "headRefOid": pull.head_sha,
        "mergeCommit": lambda _info: commit(world, here, git.commit(pull.merge_commit)) if pull.merge_commit else None,
        "repository": lambda _info: repository(world, here),
        "autoMergeRequest": lambda _info: _auto_merge(world, here, issue, pull.auto_merge),
        "labels": connection(issue.labels, _label),
        "comments": connection(issue.comments, lambda one: comment(world, here, issue, one)),
        "reviewThreads": connection(threads, lambda one: thread(world, here, issue, one)),
        "commits": lambda info, **page: _commits(info, page, world, here, pull),
    }


def _commits(info: GraphQLResolveInfo[Any], page: Values, world: World, here: Repository, pull: Pull) -> Values:
    return connection(commits_of(here, pull), lambda one: _of_pull(world, here, one))(info, **page)


def _mergeable(here: Repository, pull: Pull) -> str:
    if pull.merged:
        return "UNKNOWN"
    return "MERGEABLE" if trial_of(here, pull) else "CONFLICTING"


def commit(world: World, here: Repository, found: GitCommit) -> Values:
    """Give a commit."""
    return {
        "__typename": "Commit",
        "id": git_node("C", here, found.sha),
        "oid": found.sha,
        "message": found.message,
        "messageHeadline": found.subject,
        "committedDate": stamp(found.committer.date),
        "url": f"{html_url(world, here)}/commit/{found.sha}",
    }


def _of_pull(world: World, here: Repository, found: GitCommit) -> Values:
    return {"id": git_node("PURC", here, found.sha), "commit": commit(world, here, found)}


def _label(label: Label) -> Values:
    return {"id": node_id("LA", label.id), "name": label.name, "color": label.color, "description": label.description}


def comment(world: World, here: Repository, issue: Issue, one: Comment) -> Values:
    """Give a comment of the conversation."""
    return {
        "__typename": "IssueComment",
        "id": node_id("IC", one.id),
        "databaseId": one.id,
        "author": actor(world, one.user),
        "body": one.body,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
        "lastEditedAt": stamp(one.edited_at),
        "isMinimized": one.minimized is not None,
        "minimizedReason": one.minimized,
        "url": f"{issue_page(world, here, issue)}#issuecomment-{one.id}",
    }


def thread(world: World, here: Repository, issue: Issue, first: ReviewComment) -> Values:
    """Give the review thread that a review comment began."""
    pull = issue.pull
    comments = [one for one in pull.review_comments if one.thread == first.id] if pull else []
    resolver = pull.resolved_threads.get(first.id) if pull else None
    return {
        "__typename": "PullRequestReviewThread",
        "id": node_id("PRRT", first.id),
        "path": first.path,
        "line": first.line,
        "isResolved": resolver is not None,
        "isCollapsed": resolver is not None,
        "isOutdated": pull is not None and first.commit_id != pull.head_sha,
        "resolvedBy": actor(world, resolver) if resolver else None,
        "pullRequest": lambda _info: pull_request(world, here, issue, pull) if pull else None,
        "comments": connection(comments, lambda one: _review_comment(world, here, issue, one)),
    }


def _review_comment(world: World, here: Repository, issue: Issue, one: ReviewComment) -> Values:
    return {
        "__typename": "PullRequestReviewComment",
        "id": node_id("PRRC", one.id),
        "databaseId": one.id,
        "author": actor(world, one.user),
        "body": one.body,
        "path": one.path,
        "line": one.line,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
        "url": f"{issue_page(world, here, issue)}#discussion_r{one.id}",
    }


def _auto_merge(world: World, here: Repository, issue: Issue, order: AutoMerge | None) -> Values | None:
    if order is None:
        return None
    pull = issue.pull
    return {
        "enabledBy": actor(world, order.enabled_by),
        "enabledAt": stamp(order.enabled_at),
        "mergeMethod": order.method.upper(),
        "commitHeadline": order.title,
        "commitBody": order.message,
        "pullRequest": lambda _info: pull_request(world, here, issue, pull) if pull else None,
    }
