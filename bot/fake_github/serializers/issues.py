"""JSON for issues, comments and reactions."""

from __future__ import annotations

from collections import Counter

from bot.fake_github.api import Json
from bot.fake_github.conversation import Comment, Issue, IssueEvent, Reaction
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.repositories import api_url, html_url, label_json, milestone_json
from bot.fake_github.serializers.users import node_id, optional_user, stamp, user_json

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def issue_page(world: World, repository: Repository, issue: Issue) -> str:
    """Return the page a person reads."""
    return f"{html_url(world, repository)}/{'pull' if issue.pull else 'issues'}/{issue.number}"


def issue_json(world: World, repository: Repository, issue: Issue) -> Json:
    """Return GitHub's `issue`."""
    url = f"{api_url(world, repository)}/issues/{issue.number}"
    fields: Json = {
        "url": url,
        "repository_url": api_url(world, repository),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": issue_page(world, repository, issue),
        "id": issue.id,
        "node_id": node_id("PR" if issue.pull else "I", issue.pull.id if issue.pull else issue.id),
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "user": user_json(world, issue.user),
        "labels": [label_json(world, repository, label) for label in issue.labels],
        "state": issue.state,
        "state_reason": issue.state_reason,
        "locked": False,
        "active_lock_reason": None,
        "assignee": optional_user(world, issue.assignees[0] if issue.assignees else None),
        "assignees": [user_json(world, user) for user in issue.assignees],
        "milestone": milestone_json(world, repository, issue.milestone) if issue.milestone else None,
        "comments": len(issue.comments),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "closed_by": optional_user(world, issue.closed_by),
        "author_association": world.association(repository, issue.user),
        "reactions": reactions_json(url, []),
        "performed_via_github_app": None,
    }
    return fields | ({"pull_request": _pull_links(world, repository, issue)} if issue.pull else {})


def _pull_links(world: World, repository: Repository, issue: Issue) -> Json:
    page = issue_page(world, repository, issue)
    return {
        "url": f"{api_url(world, repository)}/pulls/{issue.number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": stamp(issue.pull.merged_at if issue.pull else None),
    }


def comment_json(world: World, repository: Repository, issue: Issue, comment: Comment) -> Json:
    """Return GitHub's `issue-comment`."""
    url = f"{api_url(world, repository)}/issues/comments/{comment.id}"
    return {
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "url": url,
        "html_url": f"{issue_page(world, repository, issue)}#issuecomment-{comment.id}",
        "issue_url": f"{api_url(world, repository)}/issues/{issue.number}",
        "body": comment.body,
        "user": user_json(world, comment.user),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": world.association(repository, comment.user),
        "reactions": reactions_json(url, comment.reactions),
        "performed_via_github_app": None,
    }


def reactions_json(url: str, reactions: list[Reaction]) -> Json:
    """Return GitHub's `reaction-rollup`."""
    counts = Counter(reaction.content for reaction in reactions)
    return {"url": f"{url}/reactions", "total_count": len(reactions)} | {name: counts[name] for name in REACTIONS}


def reaction_json(world: World, reaction: Reaction) -> Json:
    """Return GitHub's `reaction`."""
    return {
        "id": reaction.id,
        "node_id": node_id("REA", reaction.id),
        "user": user_json(world, reaction.user),
        "content": reaction.content,
        "created_at": stamp(reaction.created_at),
    }


def event_json(world: World, repository: Repository, event: IssueEvent) -> Json:
    """Return GitHub's `issue-event`, without its issue."""
    fields: Json = {
        "id": event.id,
        "node_id": node_id("EV", event.id),
        "url": f"{api_url(world, repository)}/issues/events/{event.id}",
        "actor": user_json(world, event.actor),
        "event": event.event,
        "commit_id": event.commit_id,
        "commit_url": f"{api_url(world, repository)}/commits/{event.commit_id}" if event.commit_id else None,
        "created_at": stamp(event.created_at),
        "performed_via_github_app": None,
    }
    return fields | ({"label": {"name": event.label.name, "color": event.label.color}} if event.label else {})
