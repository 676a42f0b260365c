"""Refs through the git database: read, create, move."""

from __future__ import annotations

from bot.fake_github.accounts import Level
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, not_found
from bot.fake_github.git_store import valid_ref
from bot.fake_github.ref_updates import follow_refs
from bot.fake_github.serializers.commits import ref_json

routes = Routes()
GIT = "/repos/{owner}/{repo}/git"
_WRITABLE = ("refs/heads/", "refs/tags/")


@routes.add("GET", f"{GIT}/ref/{{ref:path}}", Level.READ)
def get_ref(request: ApiRequest) -> ApiResponse:
    """Answer one ref."""
    name = f"refs/{request.params['ref']}"
    sha = request.repository.git.refs(name).get(name)
    if sha is None:
        raise not_found()
    return ApiResponse(ref_json(request.world, request.repository, name, sha))


@routes.add("POST", f"{GIT}/refs", Level.WRITE)
def create_ref(request: ApiRequest) -> ApiResponse:
    """Create a branch or tag on an object that the repository has."""
    ref, sha = request.body.get("ref"), request.body.get("sha")
    if not isinstance(ref, str) or not isinstance(sha, str):
        raise ApiError(422, 'Invalid request.\n\n"ref", "sha" weren\'t supplied.')
    git = request.repository.git
    if not ref.startswith(_WRITABLE) or not valid_ref(ref):
        raise ApiError(422, f"{ref} is not a valid ref name.")
    if git.kind(sha) is None or len(sha) != 40:
        raise ApiError(422, "Object does not exist")
    if ref in git.refs(ref):
        raise ApiError(422, "Reference already exists")
    git.set_ref(ref, sha)
    follow_refs(request.world, request.repository, request.user)
    return ApiResponse(ref_json(request.world, request.repository, ref, sha), 201)


@routes.add("PATCH", f"{GIT}/refs/{{ref:path}}", Level.WRITE)
def update_ref(request: ApiRequest) -> ApiResponse:
    """Move a ref; backwards or sideways only with `force`."""
    ref, git = f"refs/{request.params['ref']}", request.repository.git
    old, new = git.refs(ref).get(ref), request.text("sha", "Reference")
    if old is None:
        raise ApiError(422, "Reference does not exist")
    if git.kind(new) is None:
        raise ApiError(422, "Object does not exist")
    if not request.body.get("force") and not git.is_ancestor(old, new):
        raise ApiError(422, "Update is not a fast forward")
    git.set_ref(ref, new, old)
    follow_refs(request.world, request.repository, request.user)
    return ApiResponse(ref_json(request.world, request.repository, ref, new))
