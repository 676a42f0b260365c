"""Repositories, their branches, files and forks."""

from __future__ import annotations

import base64
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import quote

from bot.fake_github.accounts import Level
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Json, Routes, not_found
from bot.fake_github.serializers.commits import commit_json
from bot.fake_github.serializers.hooks import hook_json
from bot.fake_github.serializers.repositories import api_url, full_repository_json, html_url

routes = Routes()
REPO = "/repos/{owner}/{repo}"


@routes.add("GET", REPO, Level.READ)
def get_repository(request: ApiRequest) -> ApiResponse:
    """Answer one repository."""
    viewer = request.token.user if request.token else None
    return ApiResponse(full_repository_json(request.world, request.repository, viewer))


@routes.add("GET", f"{REPO}/branches/{{branch:path}}", Level.READ)
def get_branch(request: ApiRequest) -> ApiResponse:
    """Answer one branch with its commit."""
    repository, name = request.repository, request.params["branch"]
    sha = repository.git.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    url = f"{api_url(request.world, repository)}/branches/{quote(name, safe='')}"
    checks = list(repository.required_checks.get(name, ()))
    policy = {"enforcement_level": "everyone" if checks else "off", "contexts": checks, "checks": []}
    return ApiResponse(
        {
            "name": name,
            "commit": commit_json(request.world, repository, repository.git.commit(sha)),
            "_links": {"self": url, "html": f"{html_url(request.world, repository)}/tree/{quote(name)}"},
            "protected": bool(checks),
            "protection": {"enabled": bool(checks), "required_status_checks": policy},
            "protection_url": f"{url}/protection",
        }
    )


@routes.add("GET", f"{REPO}/hooks", Level.ADMIN)
def list_hooks(request: ApiRequest) -> ApiResponse:
    """Answer the repository's own webhooks."""
    hooks = [hook for hook in request.repository.webhooks if not hook.app_id]
    return request.page(hooks, lambda hook: hook_json(request.world, request.repository, hook))


@routes.add("GET", f"{REPO}/rules/branches/{{branch:path}}", Level.READ)
def list_branch_rules(request: ApiRequest) -> ApiResponse:
    """Answer the active rules for a branch, which need not be there."""
    repository, name = request.repository, request.params["branch"]
    kinds = [kind for glob, kind in repository.branch_rules if fnmatchcase(name, glob)]
    source = {"ruleset_source_type": "Repository", "ruleset_source": repository.full_name, "ruleset_id": 1}
    return ApiResponse([{"type": kind} | source for kind in kinds])


@routes.add("GET", f"{REPO}/contents/{{path:path}}", Level.READ)
def get_contents(request: ApiRequest) -> ApiResponse:
    """Answer a file. Folders, which GitHub lists, are not supported."""
    git, path = request.repository.git, request.params["path"].strip("/")
    ref = request.query.get("ref") or request.repository.default_branch
    sha = git.resolve(ref)
    if sha is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    content = git.read(sha, path)
    if content is None:
        raise not_found()
    body = _file_json(request, ref, path, git.text("rev-parse", f"{sha}:{path}"))
    body |= {"type": "file", "size": len(content)}
    return ApiResponse(body | {"encoding": "base64", "content": base64.encodebytes(content).decode()})


def _file_json(request: ApiRequest, ref: str, path: str, blob: str) -> Json:
    api, html = api_url(request.world, request.repository), html_url(request.world, request.repository)
    url = f"{api}/contents/{quote(path)}?ref={quote(ref, safe='')}"
    page, git_url = f"{html}/blob/{quote(ref)}/{quote(path)}", f"{api}/git/blobs/{blob}"
    return {
        "name": PurePosixPath(path).name,
        "path": path,
        "sha": blob,
        "url": url,
        "git_url": git_url,
        "html_url": page,
        "download_url": f"{html}/raw/{quote(ref)}/{quote(path)}",
        "_links": {"self": url, "git": git_url, "html": page},
    }


@routes.add("POST", f"{REPO}/forks", Level.READ)
def create_fork(request: ApiRequest) -> ApiResponse:
    """Copy the repository to the caller's account; a second request answers the first copy."""
    parent, owner = request.repository, request.user.login
    fork = request.world.repository(owner, parent.name) or request.world.add_repository(
        f"{owner}/{parent.name}", None, parent.default_branch, private=parent.private, parent=parent
    )
    return ApiResponse(full_repository_json(request.world, fork, request.user), 202)
