"""The sections about what the bot writes on GitHub: `publish`, `commit`, `committer` and `templates`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.config.values import Label, Login, MarkdownTemplate, PathPattern, RepositoryName, Section

Person = Login
"""A login, or `author` (of the original), `merger` or `requester`."""


class Publish(Section):
    """What a backport pull request gets besides its branch and its text."""

    copy_labels: tuple[Label, ...] = Field(default=(), strict=False)
    """Labels of the original that its backports get, too: names or globs, in any case. Brackets stand for themselves.
    The trigger label is never copied."""
    copy_milestone: bool = False
    """Give it the original's milestone."""
    copy_assignees: bool = False
    """Assign the original's assignees as well."""
    copy_reviewers: bool = False
    """Ask the people who approved the original for a review, and the people and teams who were asked and have not
    answered."""
    assignees: tuple[Person, ...] = Field(default=("author",), strict=False)
    """Who is assigned: logins, `author` (of the original), `merger`, `requester`. A person whom GitHub does not accept
    is left out."""
    reviewers: tuple[Person, ...] = Field(default=("author", "merger"), strict=False)
    """Who is asked for a review; the same values."""
    team_reviewers: tuple[Login, ...] = Field(default=(), strict=False)
    """Slugs of teams that are asked for a review."""
    on_conflict: Literal["comment", "draft"] = "comment"
    """What a conflict gives: a comment with the commands to finish it, or a draft with conflict markers as well."""
    drafts: Literal["required", "preferred"] = "required"
    """If the repository's plan has no drafts: `preferred` opens an ordinary pull request that says so, `required` opens
    nothing. A conflict never opens as an ordinary pull request."""
    fork: RepositoryName | None = None
    """A fork of the repository, as `owner/name`. Backport branches are pushed to it, and the pull requests come from
    there. For target branches of `elsewhere`, the branches are pushed to their own repository."""
    maintainer_can_modify: bool = True
    """With a fork: whoever may push to the target branch may push to the backport branch as well."""
    check_runs: bool = True
    """Show each target branch as a check run on the original, and the proof on the backport (needs a GitHub App)."""
    test_workflows: tuple[PathPattern, ...] = Field(default=("*",), strict=False, min_length=1)
    """The files in .github/workflows with your own tests, e.g. `pr-test*.yml`. A backport's body says which of them
    start on it, by the files of its branch, and which do not. By default it names all that are for pull requests."""
    description: Literal["folded", "full", "none"] = "folded"
    """How the body quotes the original's description and names the issues that it closed. Nothing in it closes an issue
    or mentions a person again. A template of your own has it as `description`, and the issues as `linked_issues`."""
    draft_note: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """A sentence for the body of drafts, e.g. that your own checks fail on a draft. Code spans stay code."""
    auto_merge: Literal["off", "merge", "squash", "rebase"] = "off"
    """Enable GitHub's auto-merge on proven backports, with this method. The repository has to allow auto-merge, and the
    branch has to require a check or a review; if not, the status comment says so."""


class CommitOptions(Section):
    """How the cherry-picked commits are written."""

    signoff: bool = False
    """Add the committer's Signed-off-by, for projects with the Developer Certificate of Origin."""
    verified: bool = False
    """Let GitHub write and sign the commits. It signs only commits of the bot's account: the author goes into
    Co-authored-by."""


class Committer(Section):
    """The committer of the cherry-picked commits; their authors stay as they are."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^<>\x00-\x1f]+$")] = "backport-bot"
    """As git writes it."""
    email: Annotated[str, Field(min_length=3, pattern=r"^[^<>\s]+@[^<>\s]+$")] = "backport-bot@users.noreply.github.com"
    """As git writes it. By it the bot also tells its own commits from those of people."""


class Templates(Section):
    """Markdown templates (Jinja2) that replace the built-in ones. Those in `bot/report/templates/` show the values."""

    status: MarkdownTemplate | None = None
    """The status comment on the original pull request."""
    answer: MarkdownTemplate | None = None
    """Each short reply to a comment, e.g. the help or a refusal."""
    pull_request: MarkdownTemplate | None = None
    """The body of a backport pull request."""
    conflict: MarkdownTemplate | None = None
    """The body of a draft that holds a conflict."""
    check_run: MarkdownTemplate | None = None
    """The summary of a check run."""
    sync_issue: MarkdownTemplate | None = None
    """The body of a stable branch's tracking issue."""
    sync_summary: MarkdownTemplate | None = None
    """The summary of a scheduled run on its page in GitHub Actions."""
