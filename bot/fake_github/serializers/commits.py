"""JSON for commits, refs and what changed in them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from bot.fake_github.accounts import User
from bot.fake_github.api import Json
from bot.fake_github.git_diff import FileChange
from bot.fake_github.git_store import GitCommit, Person
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.repositories import api_url, html_url
from bot.fake_github.serializers.users import node_id, optional_user, stamp

_NO_SIGNATURE = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def git_node(kind: str, repository: Repository, name: str) -> str:
    """Return the node id of a git object or ref."""
    return f"{node_id(kind, repository.id)}_{name.replace('/', '-')}"


def person_json(person: Person) -> Json:
    """Return a commit's author or committer."""
    return {"name": person.name, "email": person.email, "date": stamp(person.date)}


def account_of(world: World, person: Person) -> User | None:
    """Find the account whose address a commit carries."""
    return next((user for user in world.users.values() if user.email.lower() == person.email.lower()), None)


def commit_json(world: World, repository: Repository, commit: GitCommit) -> Json:
    """Return GitHub's `commit`, without stats and files."""
    api, html = api_url(world, repository), html_url(world, repository)
    return {
        "url": f"{api}/commits/{commit.sha}",
        "sha": commit.sha,
        "node_id": git_node("C", repository, commit.sha),
        "html_url": f"{html}/commit/{commit.sha}",
        "comments_url": f"{api}/commits/{commit.sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{commit.sha}",
            "author": person_json(commit.author),
            "committer": person_json(commit.committer),
            "message": commit.message,
            "comment_count": 0,
            "tree": {"sha": commit.tree, "url": f"{api}/git/trees/{commit.tree}"},
            "verification": _NO_SIGNATURE,
        },
        "author": optional_user(world, account_of(world, commit.author)),
        "committer": optional_user(world, account_of(world, commit.committer)),
        "parents": [_parent_json(api, html, parent) for parent in commit.parents],
    }


def full_commit_json(world: World, repository: Repository, commit: GitCommit, files: Sequence[FileChange]) -> Json:
    """Return GitHub's `commit` with stats and files."""
    additions, deletions = sum(file.additions for file in files), sum(file.deletions for file in files)
    return commit_json(world, repository, commit) | {
        "stats": {"additions": additions, "deletions": deletions, "total": additions + deletions},
        "files": [file_json(world, repository, commit.sha, file) for file in files],
    }


def file_json(world: World, repository: Repository, sha: str, file: FileChange) -> Json:
    """Return GitHub's `diff-entry`."""
    path = quote(file.path)
    fields: Json = {
        "sha": file.blob,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{html_url(world, repository)}/blob/{sha}/{path}",
        "raw_url": f"{html_url(world, repository)}/raw/{sha}/{path}",
        "contents_url": f"{api_url(world, repository)}/contents/{path}?ref={sha}",
    }
    if file.patch:
        fields["patch"] = file.patch
    return fields | ({"previous_filename": file.previous} if file.previous else {})


def git_commit_json(world: World, repository: Repository, commit: GitCommit) -> Json:
    """Return GitHub's `git-commit`, the git database's view of a commit."""
    api, html = api_url(world, repository), html_url(world, repository)
    parents = [
        {"sha": sha, "url": f"{api}/git/commits/{sha}", "html_url": f"{html}/commit/{sha}"} for sha in commit.parents
    ]
    return {
        "sha": commit.sha,
        "node_id": git_node("C", repository, commit.sha),
        "url": f"{api}/git/commits/{commit.sha}",
        "html_url": f"{html}/commit/{commit.sha}",
        "author": person_json(commit.author),
        "committer": person_json(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{api}/git/trees/{commit.tree}"},
        "parents": parents,
        "verification": _NO_SIGNATURE,
    }


def ref_json(world: World, repository: Repository, ref: str, sha: str) -> Json:
    """Return GitHub's `git-ref`."""
    api = api_url(world, repository)
    kind = repository.git.kind(sha) or "commit"
    return {
        "ref": ref,
        "node_id": git_node("REF", repository, ref),
        "url": f"{api}/git/{quote(ref)}",
        "object": {"type": kind, "sha": sha, "url": f"{api}/git/{kind}s/{sha}"},
    }


def _parent_json(api: str, html: str, sha: str) -> Json:
    return {"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{html}/commit/{sha}"}
