"""A conversation in the order it happened: comments, review threads and events, one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.fake_github.accounts import User
from bot.fake_github.conversation import Comment, Issue, IssueEvent, Reaction, Review, ReviewComment

EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}
_SAYINGS = {
    "closed": "closed this",
    "reopened": "reopened this",
    "assigned": "changed the assignees",
    "synchronize": "pushed new commits",
    "head_ref_force_pushed": "force-pushed the head branch",
    "ready_for_review": "marked this as ready for review",
    "convert_to_draft": "marked this as a draft",
    "auto_merge_enabled": "enabled auto-merge",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `kind` is "comment", "event", "review" or "thread"; what it is about hangs on `what`."""

    kind: str
    at: datetime
    number: int
    what: Comment | IssueEvent | Review | tuple[ReviewComment, ...]
    resolver: User | None = None


def entries(issue: Issue) -> list[Entry]:
    """List everything after the description, oldest first."""
    found = [Entry("comment", comment.created_at, comment.id, comment) for comment in issue.comments]
    found += [Entry("event", event.created_at, event.id, event) for event in issue.events if _shown(event, issue)]
    if issue.pull:
        found += [Entry("review", review.submitted_at, review.id, review) for review in issue.pull.reviews]
        for first in (one for one in issue.pull.review_comments if one.thread == one.id):
            thread = tuple(one for one in issue.pull.review_comments if one.thread == first.id)
            found.append(Entry("thread", first.created_at, first.id, thread, issue.pull.resolved_threads.get(first.id)))
    return sorted(found, key=lambda entry: (entry.at, entry.number))


def _shown(event: IssueEvent, issue: Issue) -> bool:
    """Leave out the closing that a merge brings along: the merge says it."""
    merged = issue.pull is not None and issue.pull.merged
    return not (merged and event.event == "closed") and (
        event.label is not None or event.event in {*_SAYINGS, "merged"}
    )


def saying(event: IssueEvent) -> str:
    """Say what an event was, after its actor's name. Labels and commits are shown apart."""
    if event.event == "labeled":
        return "added the label"
    if event.event == "unlabeled":
        return "removed the label"
    return "merged this as commit" if event.event == "merged" else _SAYINGS.get(event.event, event.event)


def rollup(reactions: list[Reaction]) -> list[tuple[str, int, str]]:
    """Group reactions: emoji, count, and who they are from."""
    by_content: dict[str, list[str]] = {}
    for reaction in reactions:
        by_content.setdefault(reaction.content, []).append(reaction.user.login)
    return [(EMOJI[content], len(logins), ", ".join(logins)) for content, logins in by_content.items()]
