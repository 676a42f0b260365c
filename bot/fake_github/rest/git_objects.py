"""The git database: blobs, trees and commits, one object at a time."""

from __future__ import annotations

import base64
import binascii

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Json, Routes, invalid, not_found
from bot.fake_github.git_store import Person
from bot.fake_github.rest.refs import GIT
from bot.fake_github.serializers.commits import git_commit_json
from bot.fake_github.serializers.repositories import api_url

routes = Routes()
_KINDS = {"040000": "tree", "160000": "commit"}


@routes.add("POST", f"{GIT}/blobs", Level.WRITE)
def create_blob(request: ApiRequest) -> ApiResponse:
    """Store a blob."""
    content = request.body.get("content")
    if not isinstance(content, str):
        raise invalid("Blob", "content", "missing_field")
    try:
        data = base64.b64decode(content) if request.body.get("encoding") == "base64" else content.encode()
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None
    sha = request.repository.git.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
    return ApiResponse(_link(request, "blobs", sha), 201)


@routes.add("POST", f"{GIT}/trees", Level.WRITE)
def create_tree(request: ApiRequest) -> ApiResponse:
    """Store a tree: `base_tree` with entries put in, or taken out where their sha is null."""
    git, base = request.repository.git, request.body.get("base_tree")
    start = git.resolve(base, "tree") if base else None
    if base and start is None:
        raise ApiError(422, "base_tree is not a valid tree oid")
    index = {"GIT_INDEX_FILE": str(request.world.directory / f"index-{request.world.next_id()}")}
    try:
        if start:
            git.run("read-tree", start, environment=index)
        for entry in request.body.get("tree") or []:
            _put(request, entry, index)
        sha = git.run("write-tree", environment=index).decode().strip()
    finally:
        (request.world.directory / index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
    return ApiResponse(_tree_json(request, sha), 201)


def _put(request: ApiRequest, entry: Json, index: dict[str, str]) -> None:
    git, path, mode = request.repository.git, str(entry.get("path", "")), str(entry.get("mode", "100644"))
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise ApiError(422, "tree.path contains a malformed path component")
    if entry.get("sha", "") is None:
        git.run("rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", path, environment=index)
        return
    sha = entry.get("sha")
    if sha is None:
        sha = git.run("hash-object", "-w", "--stdin", stdin=str(entry.get("content", "")).encode()).decode().strip()
    if mode != "160000" and git.kind(sha) != _KINDS.get(mode, "blob"):
        raise ApiError(422, f"tree.sha {sha} is not a valid {_KINDS.get(mode, 'blob')}")
    git.run("update-index", "--add", "--cacheinfo", f"{mode},{sha},{path}", environment=index)


def _tree_json(request: ApiRequest, sha: str) -> Json:
    lines = request.repository.git.run("ls-tree", "-l", "-z", sha).decode(errors="replace").split("\0")[:-1]
    return _link(request, "trees", sha) | {"truncated": False, "tree": [_entry_json(request, line) for line in lines]}


def _entry_json(request: ApiRequest, line: str) -> Json:
    meta, _, path = line.partition("\t")
    mode, kind, sha, size = meta.split()
    entry: Json = {"path": path, "mode": mode, "type": kind} | _link(request, f"{kind}s", sha)
    return entry | ({"size": int(size)} if kind == "blob" else {})


def _link(request: ApiRequest, kind: str, sha: str) -> Json:
    return {"sha": sha, "url": f"{api_url(request.world, request.repository)}/git/{kind}/{sha}"}


@routes.add("GET", f"{GIT}/commits/{{sha}}", Level.READ)
def get_git_commit(request: ApiRequest) -> ApiResponse:
    """Answer one commit object."""
    sha = request.repository.git.resolve(request.params["sha"])
    if sha is None:
        raise not_found()
    return ApiResponse(git_commit_json(request.world, request.repository, request.repository.git.commit(sha)))


@routes.add("POST", f"{GIT}/commits", Level.WRITE)
def create_git_commit(request: ApiRequest) -> ApiResponse:
    """Store a commit whose author and committer is the caller."""
    git, message = request.repository.git, request.text("message", "Commit")
    tree = git.resolve(request.text("tree", "Commit"), "tree")
    parents = [git.resolve(str(parent)) for parent in request.body.get("parents", [])]
    if tree is None:
        raise ApiError(422, "Tree SHA does not exist")
    if None in parents:
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    caller = Person(request.user.name, request.user.email, now())
    sha = git.write_commit(tree, [str(parent) for parent in parents], message, caller, caller)
    return ApiResponse(git_commit_json(request.world, request.repository, git.commit(sha)), 201)
