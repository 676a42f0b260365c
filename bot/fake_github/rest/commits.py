"""Commits, comparisons and which pull request a commit came by."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, unquote

from bot.fake_github.accounts import Level
from bot.fake_github.api import Call, Refusal, Reply, Routes, not_found
from bot.fake_github.conversation import Issue
from bot.fake_github.git_diff import changes
from bot.fake_github.pull_requests import commits_of
from bot.fake_github.serializers.commits import commit_json, file_json, full_commit_json
from bot.fake_github.serializers.pulls import pull_json
from bot.fake_github.serializers.repositories import api_url, html_url

routes = Routes()
REPO = "/repos/{owner}/{repo}"
MOST_FILES = 300


def commit_of(call: Call, name: str) -> str:
    """Resolve a branch, tag or commit name of the path, or refuse as GitHub does."""
    sha = call.repository.git.branch(name) or call.repository.git.resolve(name)
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {name}")
    return sha


@routes.add("GET", f"{REPO}/commits", Level.READ)
def list_commits(call: Call) -> Reply:
    """Answer the commits of a branch, newest first; `path`, `since` and `until` choose among them."""
    git, name = call.repository.git, call.query.get("sha") or call.repository.default_branch
    start = git.branch(name) or git.resolve(name)
    if start is None:
        raise not_found()
    since, until = (_date(call.query.get(key)) for key in ("since", "until"))
    paths = [call.query["path"]] if call.query.get("path") else []
    commits = [
        one
        for one in git.log(start, paths=paths)
        if (since is None or one.committer.date >= since) and (until is None or one.committer.date <= until)
    ]
    return call.page(commits, lambda one: commit_json(call.world, call.repository, one))


@routes.add("GET", f"{REPO}/commits/{{sha}}/pulls", Level.READ)
def list_pulls_of_commit(call: Call) -> Reply:
    """Answer the pull requests that have a commit or that brought it."""
    sha = commit_of(call, call.params["sha"])
    found = [issue for issue in call.repository.pulls() if _brought(call, issue, sha)]
    return call.page(found, lambda issue: pull_json(call.world, call.repository, issue))


def _brought(call: Call, issue: Issue, sha: str) -> bool:
    pull = issue.pull
    if pull is None:
        return False
    # A rebase leaves several new commits on the base branch; GitHub knows of each which pull request brought it.
    known = {pull.merge_commit, pull.head_sha, *pull.landed}
    return sha in known or any(one.sha == sha for one in commits_of(call.repository, pull))


@routes.add("GET", f"{REPO}/commits/{{sha:path}}", Level.READ)
def get_commit(call: Call) -> Reply:
    """Answer one commit with its files, or its diff or patch where the Accept header asks for that."""
    repository = call.repository
    commit = repository.git.commit(commit_of(call, call.params["sha"]))
    accept = call.headers.get("accept", "")
    if "diff" in accept or "patch" in accept:
        args = (
            ("diff-tree", "-p", "--root", "--no-commit-id") if "diff" in accept else ("format-patch", "-1", "--stdout")
        )
        return Reply(repository.git.run(*args, commit.sha), headers={"Content-Type": f"{accept}; charset=utf-8"})
    files = changes(repository.git, commit.parents[0] if commit.parents else None, commit.sha)
    return Reply(full_commit_json(call.world, repository, commit, files[:MOST_FILES]))


@routes.add("GET", f"{REPO}/compare/{{span:path}}", Level.READ)
def compare(call: Call) -> Reply:
    """Answer how two commits relate: base...head."""
    repository, git = call.repository, call.repository.git
    left, dots, right = unquote(call.params["span"]).partition("...")
    ends = [git.branch(name) or git.resolve(name) for name in (left, right.rpartition(":")[2])]
    if not dots or None in ends:
        raise not_found()
    base, head = (str(end) for end in ends)
    common = git.merge_base(base, head)
    if common is None:
        raise Refusal(404, f"No common ancestor between {left} and {right}.")
    ahead, behind = git.count(f"{base}..{head}"), git.count(f"{head}..{base}")
    status = "identical" if base == head else "diverged" if ahead and behind else "ahead" if ahead else "behind"
    html = f"{html_url(call.world, repository)}/compare/{quote(left)}...{quote(right)}"
    commits = git.log(f"{base}..{head}")[::-1][:250]
    files = changes(git, common, head)[:MOST_FILES]
    return Reply(
        {
            "url": f"{api_url(call.world, repository)}/compare/{quote(left)}...{quote(right)}",
            "html_url": html,
            "permalink_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "base_commit": commit_json(call.world, repository, git.commit(base)),
            "merge_base_commit": commit_json(call.world, repository, git.commit(common)),
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [commit_json(call.world, repository, one) for one in commits],
            "files": [file_json(call.world, repository, head, file) for file in files],
        }
    )


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
