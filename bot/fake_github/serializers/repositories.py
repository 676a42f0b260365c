"""JSON for repositories, branches' protection, labels and milestones."""

from __future__ import annotations

from urllib.parse import quote

from bot.fake_github.accounts import Level, User
from bot.fake_github.api import Json
from bot.fake_github.conversation import Label, Milestone
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository
from bot.fake_github.serializers.users import node_id, stamp, user_json

_LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}
_COUNTS = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")
_FEATURES = ("issues", "projects", "wiki", "downloads", "pull_requests")


def api_url(world: World, repository: Repository) -> str:
    """Return where a repository's REST endpoints begin."""
    return f"{world.api}/repos/{repository.full_name}"


def html_url(world: World, repository: Repository) -> str:
    """Return a repository's page."""
    return f"{world.url}/{repository.full_name}"


def repository_json(world: World, repository: Repository, viewer: User | None = None) -> Json:
    """Return GitHub's `repository` (and `minimal-repository`)."""
    api, html = api_url(world, repository), html_url(world, repository)
    open_issues = sum(issue.state == "open" for issue in repository.issues.values())
    fields: Json = {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": user_json(world, repository.owner),
        "private": repository.private,
        "visibility": "private" if repository.private else "public",
        "html_url": html,
        "description": None,
        "fork": repository.parent is not None,
        "url": api,
        "clone_url": f"{html}.git",
        "git_url": f"{html}.git",
        "ssh_url": f"{html}.git",
        "svn_url": html,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "topics": [],
        "custom_properties": {},
        "default_branch": repository.default_branch,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "has_pages": False,
        "has_discussions": False,
        "archived": repository.archived,
        "disabled": False,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "created_at": stamp(repository.created_at),
        "updated_at": stamp(repository.created_at),
        "pushed_at": stamp(repository.pushed_at),
    }
    fields |= {f"{name}_url": api + path for name, path in _LINKS.items()}
    fields |= dict.fromkeys(_COUNTS, 0) | {f"has_{feature}": True for feature in _FEATURES}
    return fields | ({"permissions": permissions_json(repository.level_of(viewer))} if viewer else {})


def full_repository_json(world: World, repository: Repository, viewer: User | None) -> Json:
    """Return GitHub's `full-repository`."""
    fields = repository_json(world, repository, viewer) | {"subscribers_count": 0, "network_count": 0}
    allow = ("allow_squash_merge", "allow_merge_commit", "allow_rebase_merge")
    fields |= dict.fromkeys(allow, True) | {"allow_auto_merge": repository.auto_merge}
    fields |= {"delete_branch_on_merge": False, "allow_update_branch": False}
    if repository.parent:
        parent = repository_json(world, repository.parent)
        fields |= {"parent": parent, "source": parent}
    return fields


def permissions_json(level: Level) -> Json:
    """Return a repository's `permissions` for one person."""
    names = {"admin": Level.ADMIN, "maintain": Level.MAINTAIN, "push": Level.WRITE, "triage": Level.TRIAGE}
    return {name: level >= minimum for name, minimum in names.items()} | {"pull": level >= Level.READ}


def label_json(world: World, repository: Repository, label: Label) -> Json:
    """Return GitHub's `label`."""
    return {
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": f"{api_url(world, repository)}/labels/{quote(label.name, safe='')}",
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": None,
    }


def milestone_json(world: World, repository: Repository, milestone: Milestone) -> Json:
    """Return GitHub's `milestone`."""
    url = f"{api_url(world, repository)}/milestones/{milestone.number}"
    states = [issue.state for issue in repository.issues.values() if issue.milestone is milestone]
    return {
        "url": url,
        "html_url": f"{html_url(world, repository)}/milestone/{milestone.number}",
        "labels_url": f"{url}/labels",
        "id": milestone.id,
        "node_id": node_id("MI", milestone.id),
        "number": milestone.number,
        "state": "open",
        "title": milestone.title,
        "description": None,
        "creator": user_json(world, milestone.creator),
        "open_issues": states.count("open"),
        "closed_issues": states.count("closed"),
        "created_at": stamp(milestone.created_at),
        "updated_at": stamp(milestone.updated_at),
        "closed_at": None,
        "due_on": None,
    }
