"""The sections about what the bot writes: `publish`, `commit`, `committer` and `templates`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.config.values import Label, Login, MarkdownTemplate, Section

Person = Login
"""A login, or `author` (of the original), `merger` or `requester`."""


class Publish(Section):
    """What a backport pull request gets besides its branch and its text."""

    copy_labels: tuple[Label, ...] = Field(default=(), strict=False)
    """Labels of the original that its backports get too, as names or globs, whatever the case; brackets stand for
    themselves. Labels that ask for backports never are."""
    copy_milestone: bool = False
    """Give it the original's milestone."""
    assignees: tuple[Person, ...] = Field(default=("author",), strict=False)
    """Who is assigned: logins, `author` (of the original), `merger`, `requester`. Who cannot be is left out."""
    reviewers: tuple[Person, ...] = Field(default=("author", "merger"), strict=False)
    """Who is asked for a review, in the same words."""
    team_reviewers: tuple[Login, ...] = Field(default=(), strict=False)
    """Slugs of teams that are asked for a review."""
    on_conflict: Literal["comment", "draft"] = "comment"
    """What a conflict becomes: a comment with the way to finish it, or also a draft that holds it, marked."""
    drafts: Literal["required", "preferred"] = "required"
    """Where the repository's plan has no drafts: `preferred` opens what would be one as an ordinary pull request that
    says so, `required` opens nothing. A conflict is never opened as one."""
    check_runs: bool = True
    """Show each target branch as a check run on the original, and the proof on the backport (needs a GitHub App)."""
    auto_merge: Literal["off", "merge", "squash", "rebase"] = "off"
    """Let what is proven merge by itself, by this method, once everything that the branch requires has passed. The
    repository has to allow auto-merge, and the branch to require something; where it does not, the answer says so."""


class CommitOptions(Section):
    """How the cherry-picked commits are written."""

    signoff: bool = False
    """Add the committer's Signed-off-by, for projects that want the Developer Certificate of Origin."""
    verified: bool = False
    """Let GitHub write and sign them. It signs only what is its account's own: the author goes into Co-authored-by."""


class Committer(Section):
    """Whom the cherry-picked commits name as committer; their authors stay as they are."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^<>\x00-\x1f]+$")] = "backport-bot"
    """As git writes it."""
    email: Annotated[str, Field(min_length=3, pattern=r"^[^<>\s]+@[^<>\s]+$")] = "backport-bot@users.noreply.github.com"
    """As git writes it; also how the bot tells its own commits from people's."""


class Templates(Section):
    """Markdown (Jinja2) in place of ours. The built-in ones under `bot/report/templates/` show the values at hand."""

    status: MarkdownTemplate | None = None
    """The status comment on the original pull request."""
    answer: MarkdownTemplate | None = None
    """Every short answer to a comment: the help, a refusal, what is remembered, cancelled or already there."""
    pull_request: MarkdownTemplate | None = None
    """The body of a backport pull request."""
    conflict: MarkdownTemplate | None = None
    """The body of a draft that holds a conflict."""
    check_run: MarkdownTemplate | None = None
    """The summary of a check run."""
    sync_issue: MarkdownTemplate | None = None
    """The body of a stable branch's tracking issue."""
    sync_summary: MarkdownTemplate | None = None
    """What a scheduled run says on its page in GitHub Actions."""
