"""The fake GitHub's records as the values of GraphQL's types, as one caller sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.fake_github.accounts import Team, User
from bot.fake_github.conversation import Comment, Issue, Label, Milestone, Pull, ReviewThread
from bot.fake_github.github_state import World
from bot.fake_github.graphql.paging import Connection, Values, connection, rejection
from bot.fake_github.pull_requests import commits_of
from bot.fake_github.repository_records import CheckRun, Repository
from bot.fake_github.serializers.issues import REACTIONS, issue_page
from bot.fake_github.serializers.users import node_id, stamp

_REACTION_NAMES = {"+1": "THUMBS_UP", "-1": "THUMBS_DOWN"}


class Viewer:
    """The values as `user` sees them: GraphQL says of what somebody wrote whether it was the caller."""

    def __init__(self, world: World, user: User) -> None:
        self._world = world
        self._user = user

    def repository(self, record: Repository) -> Values:
        """Return a repository's values."""
        return {
            "__typename": "Repository",
            "databaseId": record.id,
            "id": node_id("R", record.id),
            "label": lambda _info, name: _label(record.labels.get(name.lower())),
            "milestone": lambda _info, number: _milestone(record.milestones.get(number)),
            "object": lambda _info, oid: self._commit(record, oid),
            "pullRequest": lambda _info, number: self._pull_request_of(record, number),
            "pullRequests": self._pull_requests(record),
        }

    def pull_request(self, repository: Repository, issue: Issue, pull: Pull) -> Values:
        """Return a pull request's values. What git must count is counted if it is asked for."""
        page = issue_page(self._world, repository, issue)
        reviewers: list[User | Team] = [*pull.requested_reviewers, *pull.requested_teams]
        return {
            "__typename": "PullRequest",
            "id": node_id("PR", pull.id),
            "number": issue.number,
            "title": issue.title,
            "body": issue.body or "",
            "url": page,
            "author": author(issue.user),
            "viewerDidAuthor": issue.user is self._user,
            "state": "MERGED" if pull.merged else issue.state.upper(),
            "baseRefName": pull.base,
            "headRefName": pull.head,
            "headRefOid": pull.head_sha,
            "headRepositoryOwner": _owner(self._world.user(pull.head_owner)),
            "isDraft": pull.draft,
            "merged": pull.merged,
            "mergedBy": author(pull.merged_by),
            "mergeCommit": lambda _info: self._commit(repository, pull.merge_commit),
            "milestone": _milestone(issue.milestone),
            "labels": connection(issue.labels, _label_values),
            "commits": lambda _info, **_page: {"totalCount": len(commits_of(repository, pull))},
            "comments": connection(issue.comments, self.comment),
            "assignees": connection(issue.assignees, actor),
            "reviewRequests": connection(reviewers, _review_request),
            "reviewThreads": connection(pull.review_threads, lambda thread: _thread(page, thread)),
        }

    def comment(self, record: Comment) -> Values:
        """Return the values of a comment of the conversation."""
        return {
            "__typename": "IssueComment",
            "id": node_id("IC", record.id),
            "fullDatabaseId": str(record.id),
            "author": author(record.user),
            "viewerDidAuthor": record.user is self._user,
            "body": record.body,
            "createdAt": stamp(record.created_at),
            "updatedAt": stamp(record.updated_at),
            "lastEditedAt": stamp(record.edited_at),
            "reactionGroups": [self._reaction_group(record, content) for content in REACTIONS],
        }

    def _reaction_group(self, record: Comment, content: str) -> Values:
        is_own = any(entry.user is self._user and entry.content == content for entry in record.reactions)
        return {"content": _REACTION_NAMES.get(content, content.upper()), "viewerHasReacted": is_own}

    def _pull_request_of(self, repository: Repository, number: int) -> Values:
        issue = repository.issues.get(number)
        if issue is None or issue.pull is None:
            raise rejection("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
        return self.pull_request(repository, issue, issue.pull)

    def _pull_requests(self, repository: Repository) -> Connection:
        def resolve(
            info: Any,  # noqa: ANN401 - passed on
            *,
            headRefName: str | None = None,  # noqa: N803 - GitHub's own word
            baseRefName: str | None = None,  # noqa: N803
            states: Sequence[str] | None = None,
            **page: Any,  # noqa: ANN401
        ) -> Values:
            issues = [
                issue
                for issue in repository.pulls()
                if issue.pull
                and headRefName in {None, issue.pull.head}
                and baseRefName in {None, issue.pull.base}
                and (states is None or ("MERGED" if issue.pull.merged else issue.state.upper()) in states)
            ]
            return self._pull_connection(repository, issues)(info, **page)

        return resolve

    def _pull_connection(self, repository: Repository, issues: Sequence[Issue]) -> Connection:
        pulls = [(issue, issue.pull) for issue in issues if issue.pull]
        return connection(pulls, lambda entry: self.pull_request(repository, *entry))

    def _commit(self, repository: Repository, oid: str | None) -> Values | None:
        if oid is None or repository.git.kind(oid) != "commit":
            return None
        return {
            "__typename": "Commit",
            "id": f"C_{oid}",
            "oid": oid,
            "checkSuites": _check_suites([run for run in repository.check_runs.values() if run.head_sha == oid]),
        }


def _owner(user: User | None) -> Values | None:
    # On GitHub no Bot owns a repository.
    kind = "Organization" if user and user.type == "Organization" else "User"
    return actor(user) | {"__typename": kind} if user else None


def author(user: User | None) -> Values | None:
    """Return the account that did something; None if it is deleted, or if there is none."""
    return actor(user) if user and not user.deleted else None


def actor(user: User) -> Values:
    """Return an account's values. A bot's login has no [bot] here, as on GitHub."""
    login = user.login.removesuffix("[bot]")
    return {"__typename": user.type, "id": node_id("U", user.id), "login": login}


def _review_request(reviewer: User | Team) -> Values:
    if isinstance(reviewer, User):
        return {"id": node_id("RR", reviewer.id), "requestedReviewer": actor(reviewer)}
    team = {"__typename": "Team", "id": node_id("T", reviewer.id), "slug": reviewer.slug}
    return {"id": node_id("RR", reviewer.id), "requestedReviewer": team}


def _label(label: Label | None) -> Values | None:
    return _label_values(label) if label else None


def _label_values(label: Label) -> Values:
    return {"id": node_id("LA", label.id), "name": label.name}


def _milestone(milestone: Milestone | None) -> Values | None:
    return {"id": node_id("MI", milestone.id), "number": milestone.number} if milestone else None


def _check_suites(runs: Sequence[CheckRun]) -> Connection:
    suites = list(dict.fromkeys(run.suite_id for run in runs))
    return connection(suites, lambda suite: _check_suite(suite, [run for run in runs if run.suite_id == suite]))


def _check_suite(suite: int, runs: Sequence[CheckRun]) -> Values:
    newest = {run.name: run for run in runs}.values()

    def resolve(info: Any, *, filterBy: Values | None = None, **page: Any) -> Values:  # noqa: ANN401, N803
        condition = {"checkType": "LATEST", "checkName": None} | (filterBy or {})
        listed_runs = runs if condition["checkType"] == "ALL" else newest
        named_runs = [run for run in listed_runs if condition["checkName"] in {None, run.name}]
        return connection(named_runs, _check_run)(info, **page)

    return {"id": node_id("CS", suite), "checkRuns": resolve}


def _check_run(run: CheckRun) -> Values:
    return {"id": node_id("CR", run.id), "name": run.name}


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
        "author": author(thread.user),
        "body": thread.body,
        "url": f"{page}#discussion_r{thread.id}",
    }
