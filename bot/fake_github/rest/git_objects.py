"""The git database: blobs, trees, commits and tags, read and written one object at a time."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Json, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.git_store import Person
from bot.fake_github.rest.refs import GIT
from bot.fake_github.serializers.commits import git_commit_json, git_node, person_json
from bot.fake_github.serializers.repositories import api_url

routes = Routes()
_KINDS = {"040000": "tree", "160000": "commit"}


def _object(call: Call, kind: str) -> str:
    sha = call.params["sha"]
    found = call.repository.git.resolve(sha, kind)
    if found is None:
        raise not_found()
    return found


@routes.add("GET", f"{GIT}/blobs/{{sha}}", Level.READ)
def get_blob(call: Call) -> Reply:
    """Answer one blob in base64."""
    sha = _object(call, "blob")
    content = call.repository.git.run("cat-file", "blob", sha)
    return Reply(
        _named(call, "blobs", sha)
        | {
            "node_id": git_node("B", call.repository, sha),
            "size": len(content),
            "encoding": "base64",
            "content": base64.encodebytes(content).decode(),
        }
    )


@routes.add("POST", f"{GIT}/blobs", Level.WRITE)
def create_blob(call: Call) -> Reply:
    """Store a blob."""
    content = call.body.get("content")
    if not isinstance(content, str):
        raise invalid("Blob", "content", "missing_field")
    try:
        data = base64.b64decode(content) if call.body.get("encoding") == "base64" else content.encode()
    except binascii.Error:
        raise Refusal(422, "content is not valid Base64") from None
    sha = call.repository.git.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
    return Reply(_named(call, "blobs", sha), 201)


@routes.add("GET", f"{GIT}/trees/{{sha:path}}", Level.READ)
def get_tree(call: Call) -> Reply:
    """Answer one tree, with everything below it where `recursive` is given."""
    sha = _object(call, "tree")
    return Reply(_tree_json(call, sha, recursive="recursive" in call.query))


@routes.add("POST", f"{GIT}/trees", Level.WRITE)
def create_tree(call: Call) -> Reply:
    """Store a tree: `base_tree` with entries put in, or taken out where their sha is null."""
    git, base = call.repository.git, call.body.get("base_tree")
    start = git.resolve(base, "tree") if base else None
    if base and start is None:
        raise Refusal(422, "base_tree is not a valid tree oid")
    index = {"GIT_INDEX_FILE": str(call.world.directory / f"index-{call.world.next_id()}")}
    try:
        if start:
            git.run("read-tree", start, environment=index)
        for entry in call.body.get("tree") or []:
            _put(call, entry, index)
        sha = git.run("write-tree", environment=index).decode().strip()
    finally:
        (call.world.directory / index["GIT_INDEX_FILE"]).unlink(missing_ok=True)
    return Reply(_tree_json(call, sha, recursive=False), 201)


def _put(call: Call, entry: Json, index: dict[str, str]) -> None:
    git, path, mode = call.repository.git, str(entry.get("path", "")), str(entry.get("mode", "100644"))
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise Refusal(422, "tree.path contains a malformed path component")
    if entry.get("sha", "") is None:
        git.run("rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", path, environment=index)
        return
    sha = entry.get("sha")
    if sha is None:
        sha = git.run("hash-object", "-w", "--stdin", stdin=str(entry.get("content", "")).encode()).decode().strip()
    if mode != "160000" and git.kind(sha) != _KINDS.get(mode, "blob"):
        raise Refusal(422, f"tree.sha {sha} is not a valid {_KINDS.get(mode, 'blob')}")
    if mode == "040000":
        git.run("read-tree", f"--prefix={path}/", sha, environment=index)
    else:
        git.run("update-index", "--add", "--cacheinfo", f"{mode},{sha},{path}", environment=index)


@routes.add("GET", f"{GIT}/commits/{{sha}}", Level.READ)
def get_git_commit(call: Call) -> Reply:
    """Answer one commit object."""
    commit = call.repository.git.commit(_object(call, "commit"))
    return Reply(git_commit_json(call.world, call.repository, commit))


@routes.add("POST", f"{GIT}/commits", Level.WRITE)
def create_git_commit(call: Call) -> Reply:
    """Store a commit. Without an author it is the caller's, without a committer the author's."""
    git, message = call.repository.git, call.text("message", "Commit")
    tree = git.resolve(call.text("tree", "Commit"), "tree")
    parents = [git.resolve(str(parent)) for parent in call.body.get("parents", [])]
    if tree is None:
        raise Refusal(422, "Tree SHA does not exist")
    if None in parents:
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    author = _person(call, call.body.get("author"), None)
    committer = _person(call, call.body.get("committer"), author)
    sha = git.write_commit(tree, [str(parent) for parent in parents], message, author, committer)
    return Reply(git_commit_json(call.world, call.repository, git.commit(sha)), 201)


@routes.add("GET", f"{GIT}/tags/{{sha}}", Level.READ)
def get_tag(call: Call) -> Reply:
    """Answer one annotated tag."""
    return Reply(_tag_json(call, _object(call, "tag")))


@routes.add("POST", f"{GIT}/tags", Level.WRITE)
def create_tag(call: Call) -> Reply:
    """Store an annotated tag; the ref is made apart from it."""
    tagger = _person(call, call.body.get("tagger"), None)
    date = f"{int(tagger.date.timestamp())} +0000"
    fields = {
        "object": call.text("object", "Tag"),
        "type": call.body.get("type", "commit"),
        "tag": call.text("tag", "Tag"),
    }
    head = "".join(f"{key} {value}\n" for key, value in fields.items())
    text = f"{head}tagger {tagger.name} <{tagger.email}> {date}\n\n{call.text('message', 'Tag')}\n"
    sha = call.repository.git.run("mktag", stdin=text.encode()).decode().strip()
    return Reply(_tag_json(call, sha), 201)


def _tag_json(call: Call, sha: str) -> Json:
    head, _, message = call.repository.git.text("cat-file", "tag", sha).partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines())
    name, _, rest = fields["tagger"].partition(" <")
    email, _, when = rest.partition("> ")
    date = datetime.fromtimestamp(int(when.split()[0]), now().tzinfo)
    target = {"sha": fields["object"], "type": fields["type"]}
    return _named(call, "tags", sha) | {
        "node_id": git_node("TA", call.repository, sha),
        "tag": fields["tag"],
        "message": message,
        "tagger": person_json(Person(name, email, date)),
        "object": target | {"url": _named(call, f"{fields['type']}s", fields["object"])["url"]},
        "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
    }


def _tree_json(call: Call, sha: str, *, recursive: bool) -> Json:
    flags = ["-r", "-t"] if recursive else []
    lines = call.repository.git.run("ls-tree", "-l", "-z", *flags, sha).decode(errors="replace").split("\0")[:-1]
    return _named(call, "trees", sha) | {"truncated": False, "tree": [_tree_entry(call, line) for line in lines]}


def _tree_entry(call: Call, line: str) -> Json:
    meta, _, path = line.partition("\t")
    mode, kind, sha, size = meta.split()
    entry: dict[str, Any] = {"path": path, "mode": mode, "type": kind} | _named(call, f"{kind}s", sha)
    return entry | ({"size": int(size)} if kind == "blob" else {})


def _named(call: Call, kind: str, sha: str) -> Json:
    return {"sha": sha, "url": f"{api_url(call.world, call.repository)}/git/{kind}/{sha}"}


def _person(call: Call, given: Json | None, default: Person | None) -> Person:
    if not given:
        return default or Person(call.user.name, call.user.email, now())
    date = datetime.fromisoformat(given["date"]) if given.get("date") else now()
    return Person(str(given["name"]), str(given["email"]), date)
