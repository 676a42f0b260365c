"""A conversation in the order it happened: comments, review threads and events, one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.fake_github.conversation import Comment, Issue, IssueEvent, Reaction, ReviewThread

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
_PHRASES = {
    "labeled": "added the label",
    "unlabeled": "removed the label",
    "merged": "merged this as commit",
    "closed": "closed this",
    "assigned": "changed the assignees",
    "synchronize": "pushed new commits",
    "head_ref_force_pushed": "force-pushed the head branch",
    "ready_for_review": "marked this as ready for review",
    "convert_to_draft": "marked this as a draft",
    "auto_merge_enabled": "enabled auto-merge",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `kind` is "comment", "event" or "thread", and says which record it shows."""

    kind: str
    time: datetime
    record: Comment | IssueEvent | ReviewThread


def entries(issue: Issue) -> list[Entry]:
    """List everything after the description, oldest first. Records of one second stand in the order of their ids."""
    is_merged = issue.pull is not None and issue.pull.merged
    # The closing that a merge brings along is left out: the merge says it.
    events = [event for event in issue.events if not (is_merged and event.event == "closed")]
    threads = issue.pull.review_threads if issue.pull else []
    timeline = [Entry("comment", comment.created_at, comment) for comment in issue.comments]
    timeline += [Entry("event", event.created_at, event) for event in events]
    timeline += [Entry("thread", thread.created_at, thread) for thread in threads]
    return sorted(timeline, key=lambda entry: (entry.time, entry.record.id))


def phrase(event: IssueEvent) -> str:
    """Return the words that follow the actor's name. Labels and commits are shown apart."""
    return _PHRASES[event.event]


def rollup(reactions: list[Reaction]) -> list[tuple[str, int, str]]:
    """Group reactions: emoji, count, and who they are from."""
    logins_by_content: dict[str, list[str]] = {}
    for reaction in reactions:
        logins_by_content.setdefault(reaction.content, []).append(reaction.user.login)
    return [(EMOJI[content], len(logins), ", ".join(logins)) for content, logins in logins_by_content.items()]
