"""Noticing that branches and tags moved, whoever moved them: a push, the REST API or a merge.

Owns the comparison of a repository's refs with the last look at them, and what follows: push events and pull requests
whose head moved. One look reports each move once, so a push that races another is never told twice.
"""

from __future__ import annotations

from bot.fake_github.accounts import User, now
from bot.fake_github.events import issue_event, push_event
from bot.fake_github.git_store import NO_OBJECT
from bot.fake_github.pull_requests import close, follow_head, open_from, record_merge
from bot.fake_github.state import Repository
from bot.fake_github.world import World


def notice_moves(world: World, repository: Repository, actor: User) -> None:
    """Compare refs with the last look, and tell what moved."""
    before, after = repository.seen_refs, repository.git.refs("refs/heads", "refs/tags")
    shown = {ref: sha for ref, sha in before.items() if ref.startswith(("refs/heads/", "refs/tags/"))}
    repository.seen_refs = after
    for ref in sorted(shown.keys() | after.keys()):
        old, new = shown.get(ref, NO_OBJECT), after.get(ref, NO_OBJECT)
        if old != new:
            repository.pushed_at = now()
            push_event(world, repository, ref, old, new, actor)
            if ref.startswith("refs/heads/"):
                _follow(world, repository, ref.removeprefix("refs/heads/"), old, new, actor)


def _follow(world: World, head: Repository, branch: str, old: str, new: str, actor: User) -> None:
    if NO_OBJECT not in {old, new}:
        _recognise_merges(world, head, branch, new, actor)
    for base in world.network(head):
        if new == NO_OBJECT:
            _close_headless(world, base, head, branch, actor)
        else:
            for issue in follow_head(base, head, branch, new):
                world.note(
                    issue, "head_ref_force_pushed" if not head.git.is_ancestor(old, new) else "synchronize", actor
                )
                issue_event(world, base, issue, "synchronize", actor, before=old, after=new)


def _close_headless(world: World, base: Repository, head: Repository, branch: str, actor: User) -> None:
    """Close what has lost its head branch, as GitHub does."""
    for issue, _ in open_from(base, head, branch):
        close(world, issue, actor)
        issue_event(world, base, issue, "closed", actor)


def _recognise_merges(world: World, base: Repository, branch: str, tip: str, actor: User) -> None:
    """Mark as merged what a push brought into its base branch by hand."""
    for issue in base.pulls():
        pull = issue.pull
        if pull and issue.state == "open" and pull.base == branch and base.git.is_ancestor(pull.head_sha, tip):
            record_merge(world, issue, tip, actor)
            issue_event(world, base, issue, "closed", actor)
