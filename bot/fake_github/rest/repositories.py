"""Repositories, their branches, files and forks."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from urllib.parse import quote

from bot.fake_github.accounts import Level
from bot.fake_github.api import Call, Json, Refusal, Reply, Routes, not_found
from bot.fake_github.serializers.commits import commit_json
from bot.fake_github.serializers.repositories import api_url, full_repository_json, html_url, repository_json
from bot.fake_github.state import Repository

routes = Routes()
REPO = "/repos/{owner}/{repo}"


@routes.add("GET", REPO, Level.READ)
def get_repository(call: Call) -> Reply:
    """Answer one repository."""
    return Reply(full_repository_json(call.world, call.repository, call.token.user if call.token else None))


@routes.add("GET", f"{REPO}/branches", Level.READ)
def list_branches(call: Call) -> Reply:
    """Answer the branches by name."""
    tips = call.repository.git.refs("refs/heads")
    return call.page(sorted(tips.items()), lambda item: _short_branch(call, item[0], item[1]))


@routes.add("GET", f"{REPO}/branches/{{branch:path}}", Level.READ)
def get_branch(call: Call) -> Reply:
    """Answer one branch with its commit."""
    repository, name = call.repository, call.params["branch"]
    sha = repository.git.branch(name)
    if sha is None:
        raise Refusal(404, "Branch not found")
    url = f"{api_url(call.world, repository)}/branches/{quote(name, safe='')}"
    checks = list(repository.required_checks.get(name, ()))
    policy = {"enforcement_level": "everyone" if checks else "off", "contexts": checks, "checks": []}
    return Reply(
        {
            "name": name,
            "commit": commit_json(call.world, repository, repository.git.commit(sha)),
            "_links": {"self": url, "html": f"{html_url(call.world, repository)}/tree/{quote(name)}"},
            "protected": bool(checks),
            "protection": {"enabled": bool(checks), "required_status_checks": policy},
            "protection_url": f"{url}/protection",
        }
    )


@routes.add("GET", f"{REPO}/contents/{{path:path}}", Level.READ)
def get_contents(call: Call) -> Reply:
    """Answer a file, or the list of a folder."""
    repository, path = call.repository, call.params["path"].strip("/")
    ref = call.query.get("ref") or repository.default_branch
    sha = repository.git.resolve(ref)
    if sha is None:
        raise Refusal(404, f"No commit found for the ref {ref}")
    kind = repository.git.kind(f"{sha}:{path}")
    if kind is None:
        raise not_found()
    if kind == "tree":
        return Reply([_entry(call, ref, line) for line in _listing(repository, sha, path)])
    content = repository.git.read(sha, path) or b""
    blob = repository.git.resolve(f"{sha}:{path}", "blob") or ""
    if "raw" in call.headers.get("accept", ""):
        return Reply(content, headers={"Content-Type": "application/vnd.github.raw+json"})
    shape = _file(call, ref, path, blob, "file", len(content))
    return Reply(shape | {"encoding": "base64", "content": base64.encodebytes(content).decode()})


def _listing(repository: Repository, sha: str, path: str) -> list[str]:
    where = f"{path}/" if path else ""
    return (
        repository.git.run("ls-tree", "-l", "-z", "--full-name", sha, where or ".")
        .decode(errors="replace")
        .split("\0")[:-1]
    )


def _entry(call: Call, ref: str, line: str) -> Json:
    meta, _, path = line.partition("\t")
    _, kind, blob, size = meta.split()
    return _file(call, ref, path, blob, "dir" if kind == "tree" else "file", int(size) if size.isdigit() else 0)


def _file(call: Call, ref: str, path: str, blob: str, kind: str, size: int) -> Json:
    api, html = api_url(call.world, call.repository), html_url(call.world, call.repository)
    url = f"{api}/contents/{quote(path)}?ref={quote(ref, safe='')}"
    page = f"{html}/{'tree' if kind == 'dir' else 'blob'}/{quote(ref)}/{quote(path)}"
    stored = f"{api}/git/{'trees' if kind == 'dir' else 'blobs'}/{blob}"
    return {
        "type": kind,
        "size": size,
        "name": PurePosixPath(path).name,
        "path": path,
        "sha": blob,
        "url": url,
        "git_url": stored,
        "html_url": page,
        "download_url": None if kind == "dir" else f"{html}/raw/{quote(ref)}/{quote(path)}",
        "_links": {"self": url, "git": stored, "html": page},
    }


@routes.add("POST", f"{REPO}/forks", Level.READ)
def create_fork(call: Call) -> Reply:
    """Copy the repository to the caller's account; a second wish answers the first copy."""
    parent, owner = call.repository, call.user.login
    name = call.body.get("name") or parent.name
    fork = call.world.repository(owner, name) or call.world.add_repository(
        f"{owner}/{name}", None, parent.default_branch, private=parent.private, parent=parent
    )
    return Reply(full_repository_json(call.world, fork, call.user), 202)


@routes.add("GET", f"{REPO}/forks", Level.READ)
def list_forks(call: Call) -> Reply:
    """Answer the forks of the repository."""
    forks = [one for one in call.world.repositories.values() if one.parent is call.repository]
    return call.page(forks, lambda one: repository_json(call.world, one))


def _short_branch(call: Call, ref: str, sha: str) -> Json:
    name = ref.removeprefix("refs/heads/")
    api = api_url(call.world, call.repository)
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{api}/commits/{sha}"},
        "protected": name in call.repository.required_checks,
    }
