"""Refs through the git database: read, create, move, delete."""

from __future__ import annotations

from bot.fake_github.accounts import Level
from bot.fake_github.api import Call, Refusal, Reply, Routes, not_found
from bot.fake_github.git_store import valid_ref
from bot.fake_github.refs import notice_moves
from bot.fake_github.serializers.commits import ref_json

routes = Routes()
GIT = "/repos/{owner}/{repo}/git"
_WRITABLE = ("refs/heads/", "refs/tags/")


@routes.add("GET", f"{GIT}/ref/{{ref:path}}", Level.READ)
def get_ref(call: Call) -> Reply:
    """Answer one ref."""
    name = f"refs/{call.params['ref']}"
    sha = call.repository.git.refs(name).get(name)
    if sha is None:
        raise not_found()
    return Reply(ref_json(call.world, call.repository, name, sha))


@routes.add("GET", f"{GIT}/matching-refs/{{ref:path}}", Level.READ)
def list_matching_refs(call: Call) -> Reply:
    """Answer the refs whose names begin so; none is an empty list."""
    start = f"refs/{call.params['ref']}"
    matching = sorted((name, sha) for name, sha in call.repository.git.refs().items() if name.startswith(start))
    return call.page(matching, lambda item: ref_json(call.world, call.repository, *item))


@routes.add("POST", f"{GIT}/refs", Level.WRITE)
def create_ref(call: Call) -> Reply:
    """Create a branch or tag on an object that is there."""
    ref, sha = call.body.get("ref"), call.body.get("sha")
    if not isinstance(ref, str) or not isinstance(sha, str):
        raise Refusal(422, 'Invalid request.\n\n"ref", "sha" weren\'t supplied.')
    git = call.repository.git
    if not ref.startswith(_WRITABLE) or not valid_ref(ref):
        raise Refusal(422, f"{ref} is not a valid ref name.")
    if git.kind(sha) is None or len(sha) != 40:
        raise Refusal(422, "Object does not exist")
    if ref in git.refs(ref):
        raise Refusal(422, "Reference already exists")
    git.set_ref(ref, sha)
    notice_moves(call.world, call.repository, call.user)
    return Reply(ref_json(call.world, call.repository, ref, sha), 201)


@routes.add("PATCH", f"{GIT}/refs/{{ref:path}}", Level.WRITE)
def update_ref(call: Call) -> Reply:
    """Move a ref; backwards or sideways only with `force`."""
    ref, git = f"refs/{call.params['ref']}", call.repository.git
    old, new = git.refs(ref).get(ref), call.text("sha", "Reference")
    if old is None:
        raise Refusal(422, "Reference does not exist")
    if git.kind(new) is None:
        raise Refusal(422, "Object does not exist")
    if not call.body.get("force") and not git.is_ancestor(old, new):
        raise Refusal(422, "Update is not a fast forward")
    git.set_ref(ref, new, old)
    notice_moves(call.world, call.repository, call.user)
    return Reply(ref_json(call.world, call.repository, ref, new))


@routes.add("DELETE", f"{GIT}/refs/{{ref:path}}", Level.WRITE)
def delete_ref(call: Call) -> Reply:
    """Delete a branch or tag."""
    ref, git = f"refs/{call.params['ref']}", call.repository.git
    if not ref.startswith(_WRITABLE) or ref not in git.refs(ref):
        raise Refusal(422, "Reference does not exist")
    git.delete_ref(ref)
    notice_moves(call.world, call.repository, call.user)
    return Reply(status=204)
