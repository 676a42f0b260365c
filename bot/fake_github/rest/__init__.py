"""The REST API: one module per area, each a table of endpoints that says what access it needs."""

from __future__ import annotations

from bot.fake_github.api import Route
from bot.fake_github.rest import (
    actions,
    apps,
    checks,
    comments,
    commits,
    git_objects,
    issues,
    labels,
    people,
    pulls,
    reactions,
    refs,
    repositories,
    reviewers,
)

_AREAS = (
    *(people, repositories, refs, git_objects, checks, commits, pulls, reviewers),
    *(comments, labels, reactions, issues, actions, apps),
)
TABLE: tuple[Route, ...] = tuple(route for area in _AREAS for route in area.routes.table)
"""Every endpoint. The first that fits a request answers it: narrow paths stand before wide ones."""
