"""Clone, fetch and push over smart HTTP, by `git http-backend`.

Decides who may. The request is read completely before the backend starts and its answer is
sent when it is complete: a half-duplex client and a full-duplex backend would wait for each other otherwise.
"""

from __future__ import annotations

import functools
import gzip
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bot.fake_github.accounts import Level, Token
from bot.fake_github.api import ApiError, access
from bot.fake_github.authentication import identify
from bot.fake_github.git_store import ENVIRONMENT
from bot.fake_github.github_state import World
from bot.fake_github.push_report import explain_refusals
from bot.fake_github.ref_updates import follow_refs
from bot.fake_github.repository_records import Repository

HOOK = """#!/bin/sh
# Refuses commits that touch workflow files. Run by git for each ref: name, old and new object.
test "$3" = 0000000000000000000000000000000000000000 && exit 0
file=$(git log -m --format= --name-only "$3" --not --all -- .github/workflows | head -n 1)
test -z "$file" && exit 0
echo "refusing to allow a GitHub App to create or update workflow \\`$file\\` without \\`workflows\\` permission" >&2
exit 1
"""
"""The wording is GitHub's."""

SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")
"""The paths below a repository that git's clients ask for."""

_CONFIG = {
    "safe.directory": "*",
    "http.receivepack": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "receive.hideRefs": "refs/pull",
    "receive.autogc": "false",
}


def install_hook(directory: Path) -> Path:
    """Write the hook that guards workflow files and return the folder git takes hooks from."""
    hooks = directory / "hooks"
    hooks.mkdir(parents=True, exist_ok=True)
    (hooks / "update").write_text(HOOK)
    (hooks / "update").chmod(0o755)
    return hooks


async def answer(world: World, request: Request) -> Response:
    """Answer one request of a git client."""
    body = await request.body()
    return await run_in_threadpool(_answer, world, request, body)


def _answer(world: World, request: Request, body: bytes) -> Response:
    successor = world.successor(request.path_params["owner"], request.path_params["repo"].removesuffix(".git"))
    if successor is not None:
        service = request.url.path.split("/", 3)[3]
        return RedirectResponse(f"/{successor.full_name}.git/{service}?{request.url.query}", 301)
    pushes = "git-receive-pack" in f"{request.url.path}?{request.url.query}"
    try:
        with world.lock:
            token, _ = identify(world, request.headers.get("authorization"))
            request.state.login = token.user.login if token else None
            repository = _admit(world, request, token, Level.WRITE if pushes else Level.READ)
    except ApiError as error:
        headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if error.status == 401 else {}
        return PlainTextResponse(str(error), error.status, headers)
    response = _begin_fetch(request, repository) or _backend(world, request, repository, token, body)
    if pushes and token and request.method == "POST":
        with world.lock:
            follow_refs(world, repository, token.user)
    return response


def _admit(world: World, request: Request, token: Token | None, level: Level) -> Repository:
    owner, name = request.path_params["owner"], request.path_params["repo"].removesuffix(".git")
    repository = world.repository(owner, name)
    access_level = access(token, repository) if repository else Level.NONE
    if repository and access_level >= level:
        if repository.archived and level >= Level.WRITE:
            raise ApiError(403, "ERROR: This repository was archived so it is read-only.")
        return repository
    if token is None:
        raise ApiError(401, "Authentication required")
    if repository is None or access_level is Level.NONE:
        raise ApiError(404, "Repository not found.")
    raise ApiError(403, f"Permission to {repository.full_name}.git denied to {token.user.login}.")


_beginnings: dict[tuple[str, int], tuple[dict[str, str], bytes]] = {}
"""git's answers to the first request of a fetch, which says what the server can and nothing of the branches.

https://git-scm.com/docs/protocol-v2#_capability_advertisement
"""


def _begin_fetch(request: Request, repository: Repository) -> Response | None:
    """Return git's answer to the same request as before; None if there was none, or it is another kind of request."""
    answer = _beginnings.get(_key_of(repository))
    return Response(answer[1], headers=answer[0]) if answer is not None and _begins_fetch(request) else None


def _begins_fetch(request: Request) -> bool:
    version = request.headers.get("git-protocol", "")
    return (request.method, request.url.query, version) == ("GET", "service=git-upload-pack", "version=2")


def _key_of(repository: Repository) -> tuple[str, int]:
    directory = repository.git.directory
    return str(directory), (directory / "config").stat().st_mtime_ns


def _backend(world: World, request: Request, repository: Repository, token: Token | None, body: bytes) -> Response:
    directory = repository.git.directory
    hooks = _rule_hooks(world, repository) or _workflow_hooks(world, token)
    config = {**_CONFIG, **({"core.hooksPath": str(hooks)} if hooks else {})}
    if request.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    environment = {
        **ENVIRONMENT,
        **_config_environment(config),
        "GIT_PROJECT_ROOT": str(directory.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{directory.name}/{request.url.path.split('/', 3)[3]}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": token.user.login if token else "",
    }
    result = subprocess.run([_program()], input=body, capture_output=True, check=False, env=environment)
    status, headers, content = _cgi(result.stdout)
    if status == 200 and _begins_fetch(request):
        _beginnings[_key_of(repository)] = headers, content
    if hooks and request.url.path.endswith("/git-receive-pack"):
        content = explain_refusals(content, repository.push_rule.summary if repository.push_rule else "")
    return Response(content, status, headers)


@functools.cache
def _program() -> str:
    # `git http-backend` would start it and wait for it.
    paths = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return f"{paths.stdout.strip()}/git-http-backend"


def _workflow_hooks(world: World, token: Token | None) -> Path | None:
    """Return the folder of the hook that guards workflow files; None for a token that may push them."""
    return world.directory / "hooks" if token and not token.workflows else None


def _rule_hooks(world: World, repository: Repository) -> Path | None:
    """Write the hook by which a rule refuses every push, and return its folder; None without a rule."""
    if repository.push_rule is None:
        return None
    hooks = world.directory / f"rule-{repository.id}"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-receive").write_text(
        f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(repository.push_rule.remarks)} >&2\nexit 1\n"
    )
    (hooks / "pre-receive").chmod(0o755)
    return hooks


def _config_environment(config: Mapping[str, str]) -> dict[str, str]:
    """Write settings as git reads them from its environment, so that an adopted repository is not changed."""
    environment = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def _cgi(output: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, content = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = headers.pop("Status", "200 OK" if head else "500 Internal Server Error")
    return int(status.split()[0]), headers, content
