"""Commits, and which pull request a commit came by."""

from __future__ import annotations

from bot.fake_github.accounts import Level
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes
from bot.fake_github.conversation import Issue
from bot.fake_github.git_diff import changes
from bot.fake_github.pull_requests import commits_of
from bot.fake_github.serializers.commits import full_commit_json
from bot.fake_github.serializers.pulls import pull_json

routes = Routes()
REPO = "/repos/{owner}/{repo}"
MOST_FILES = 300


def commit_of(request: ApiRequest) -> str:
    """Resolve the branch, tag or commit name of the path, or refuse as GitHub does."""
    name, git = request.params["sha"], request.repository.git
    sha = git.branch(name) or git.resolve(name)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {name}")
    return sha


@routes.add("GET", f"{REPO}/commits/{{sha}}/pulls", Level.READ)
def list_pulls_of_commit(request: ApiRequest) -> ApiResponse:
    """Answer the pull requests that have a commit or that brought it."""
    sha = commit_of(request)
    issues = [issue for issue in request.repository.pulls() if _has_commit(request, issue, sha)]
    return request.page(issues, lambda issue: pull_json(request.world, request.repository, issue))


def _has_commit(request: ApiRequest, issue: Issue, sha: str) -> bool:
    pull = issue.pull
    if pull is None:
        return False
    # A rebase leaves several new commits on the base branch; GitHub knows of each which pull request brought it.
    commits = {pull.merge_commit, pull.head_sha, *pull.landed}
    return sha in commits or any(commit.sha == sha for commit in commits_of(request.repository, pull))


@routes.add("GET", f"{REPO}/commits/{{sha:path}}", Level.READ)
def get_commit(request: ApiRequest) -> ApiResponse:
    """Answer one commit with its files."""
    repository = request.repository
    commit = repository.git.commit(commit_of(request))
    files = changes(repository.git, commit.parents[0] if commit.parents else None, commit.sha)
    return ApiResponse(full_commit_json(request.world, repository, commit, files[:MOST_FILES]))
