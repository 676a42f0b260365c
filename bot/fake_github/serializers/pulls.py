"""JSON for pull requests, reviews and review comments."""

from __future__ import annotations

from bot.fake_github.api import Json
from bot.fake_github.conversation import AutoMerge, Issue, Pull, Review
from bot.fake_github.git_store import GitRejected
from bot.fake_github.github_state import World
from bot.fake_github.pull_requests import commits_of, files_of, mergeable_state, trial_of
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.issues import issue_page
from bot.fake_github.serializers.repositories import api_url, label_json, milestone_json, repository_json
from bot.fake_github.serializers.users import node_id, optional_user, stamp, team_json, user_json


def pull_json(world: World, repository: Repository, issue: Issue) -> Json:
    """Return GitHub's `pull-request-simple`: what a list shows."""
    pull = pull_of(issue)
    api, page = api_url(world, repository), issue_page(world, repository, issue)
    url = f"{api}/pulls/{issue.number}"
    urls = {
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": f"{api}/issues/{issue.number}",
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{api}/issues/{issue.number}/comments",
        "statuses_url": f"{api}/statuses/{pull.head_sha}",
    }
    return urls | {
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "number": issue.number,
        "state": issue.state,
        "locked": False,
        "active_lock_reason": None,
        "title": issue.title,
        "body": issue.body,
        "user": user_json(world, issue.user),
        "labels": [label_json(world, repository, label) for label in issue.labels],
        "milestone": milestone_json(world, repository, issue.milestone) if issue.milestone else None,
        "assignee": optional_user(world, issue.assignees[0] if issue.assignees else None),
        "assignees": [user_json(world, user) for user in issue.assignees],
        "requested_reviewers": [user_json(world, user) for user in pull.requested_reviewers],
        "requested_teams": [team_json(world, team) for team in pull.requested_teams],
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "merged_at": stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_commit or trial_of(repository, pull),
        "draft": pull.draft,
        "head": _head_json(world, pull),
        "base": _end_json(world, repository, f"{repository.owner.login}:{pull.base}", pull.base, pull.base_sha),
        "_links": _links(urls),
        "author_association": world.association(repository, issue.user),
        "auto_merge": _auto_merge_json(world, pull.auto_merge),
    }


def full_pull_json(world: World, repository: Repository, issue: Issue) -> Json:
    """Return GitHub's `pull-request`: one pull request with what git counts in it."""
    pull = pull_of(issue)
    files = files_of(repository, pull)
    mergeable = None if pull.merged else trial_of(repository, pull) is not None
    return pull_json(world, repository, issue) | {
        "merged": pull.merged,
        "merged_by": optional_user(world, pull.merged_by),
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": "unknown" if pull.merged else mergeable_state(repository, pull),
        "comments": len(issue.comments),
        "review_comments": len(pull.review_threads),
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": len(commits_of(repository, pull)),
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len(files),
    }


def review_json(world: World, repository: Repository, issue: Issue, review: Review) -> Json:
    """Return GitHub's `pull-request-review`."""
    page = f"{issue_page(world, repository, issue)}#pullrequestreview-{review.id}"
    url = f"{api_url(world, repository)}/pulls/{issue.number}"
    return {
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": user_json(world, review.user),
        "body": review.body,
        "state": review.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": world.association(repository, review.user),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": stamp(review.submitted_at),
        "commit_id": review.commit,
    }


def pull_of(issue: Issue) -> Pull:
    """Return the pull request of an issue that is one."""
    if issue.pull is None:
        raise GitRejected(f"#{issue.number} is not a pull request")
    return issue.pull


def _end_json(world: World, repository: Repository | None, label: str, ref: str, sha: str) -> Json:
    return {
        "label": label,
        "ref": ref,
        "sha": sha,
        "user": user_json(world, repository.owner) if repository else None,
        "repo": repository_json(world, repository) if repository else None,
    }


def _head_json(world: World, pull: Pull) -> Json:
    fields = _end_json(world, pull.head_repository, f"{pull.head_owner}:{pull.head}", pull.head, pull.head_sha)
    return fields if pull.head_repository else fields | {"user": optional_user(world, world.user(pull.head_owner))}


def _links(urls: dict[str, str]) -> Json:
    names = {"self": "url", "html": "html_url", "issue": "issue_url", "comments": "comments_url"}
    names |= {"review_comments": "review_comments_url", "review_comment": "review_comment_url"}
    names |= {"commits": "commits_url", "statuses": "statuses_url"}
    return {name: {"href": urls[key]} for name, key in names.items()}


def _auto_merge_json(world: World, order: AutoMerge | None) -> Json | None:
    if order is None:
        return None
    return {
        "enabled_by": user_json(world, order.enabled_by),
        "merge_method": order.method,
        "commit_title": order.title,
        "commit_message": order.message,
    }
