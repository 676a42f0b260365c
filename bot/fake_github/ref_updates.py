"""Applies the effects of a moved branch, after a push, a call of the REST API or a merge.

A repository's refs are compared with the last look at them. One look takes each move once, so two pushes at the same
time are each followed once.
"""

from __future__ import annotations

from bot.fake_github.accounts import User, now
from bot.fake_github.events import pull_request_event, push_event
from bot.fake_github.git_store import NO_OBJECT
from bot.fake_github.github_state import World
from bot.fake_github.pull_requests import close, follow_head, open_from, record_merge
from bot.fake_github.repository_records import Repository


def follow_refs(world: World, repository: Repository, actor: User) -> None:
    """Bring the pull requests up to date with the branches that moved since the last call."""
    before, after = repository.branches, repository.git.refs("refs/heads")
    repository.branches = after
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref, NO_OBJECT), after.get(ref, NO_OBJECT)
        if old != new:
            repository.pushed_at = now()
            push_event(world, repository, ref.removeprefix("refs/heads/"), old, new, actor)
            _follow_branch(world, repository, ref.removeprefix("refs/heads/"), old, new, actor)


def _follow_branch(world: World, head: Repository, branch: str, old: str, new: str, actor: User) -> None:
    if NO_OBJECT not in {old, new}:
        _recognise_merges(world, head, branch, new, actor)
    for base in world.network(head):
        if new == NO_OBJECT:
            _close_headless(world, base, head, branch, actor)
            continue
        for issue in follow_head(base, head, branch, new):
            event = "synchronize" if head.git.is_ancestor(old, new) else "head_ref_force_pushed"
            world.note(issue, event, actor)
            pull_request_event(world, base, issue, "synchronize", actor, before=old, after=new)


def _close_headless(world: World, base: Repository, head: Repository, branch: str, actor: User) -> None:
    """Close what has lost its head branch, as GitHub does."""
    for issue, _ in open_from(base, head, branch):
        close(world, issue, actor)
        pull_request_event(world, base, issue, "closed", actor)


def _recognise_merges(world: World, base: Repository, branch: str, tip: str, actor: User) -> None:
    """Mark as merged what a push brought into its base branch by hand."""
    for issue in base.pulls():
        pull = issue.pull
        if pull and issue.state == "open" and pull.base == branch and base.git.is_ancestor(pull.head_sha, tip):
            record_merge(world, issue, tip, actor)
            pull_request_event(world, base, issue, "closed", actor)
