"""The `sync` section: what belongs on a stable branch, and how much one scheduled run may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bot.config.values import Label, Login, Pattern, Section

Glob = Annotated[str, Field(min_length=1, max_length=200)]


class Conditions(Section):
    """Conditions on a merged pull request. Each key has to match, and a key matches if any of its values does.

    Labels, milestones, titles and bodies are globs over the whole text, in any case; paths are globs in which `*` stops
    at a slash and `**` does not. Square brackets stand for themselves. They are also a set of characters if they
    contain no word: `[0-9]`, `[!_]`, `[Mm]`.
    """

    labels: tuple[Glob, ...] = Field(default=(), strict=False)
    """A label that the pull request has."""
    milestones: tuple[Glob, ...] = Field(default=(), strict=False)
    """The milestone's title."""
    authors: tuple[Login, ...] = Field(default=(), strict=False)
    """The PR author's login."""
    paths: tuple[Glob, ...] = Field(default=(), strict=False)
    """A file that it changes."""
    titles: tuple[Glob, ...] = Field(default=(), strict=False)
    """Its title, e.g. `*crash*`."""
    bodies: tuple[Glob, ...] = Field(default=(), strict=False)
    """Its description."""
    fixes_issue_labels: tuple[Label, ...] = Field(default=(), strict=False)
    """A label of an issue that it says it fixes, closes or resolves."""
    pull_requests: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(), strict=False)
    """Its number."""

    @model_validator(mode="after")
    def _says_something(self) -> Conditions:
        if not any(getattr(self, name) for name in Conditions.model_fields):
            raise ValueError("has no condition, so it would match every pull request; for that write `titles: ['*']`")
        return self


class Rule(Conditions):
    """Pull requests that belong on the branches."""

    branches: tuple[Pattern, ...] = Field(default=("**",), strict=False, min_length=1)
    """The stable branches that the rule is for, as names or globs; by default all of them."""


class Refusal(Conditions):
    """Pull requests that do not belong on the branches, even if a rule matches."""

    branches: tuple[Pattern, ...] = Field(default=("**",), strict=False, min_length=1)
    """The stable branches that the refusal is for; by default all of them."""
    reason: Annotated[str, Field(min_length=3, max_length=500)]
    """Why, in a sentence. It is shown in each list that has the pull request."""


class Sync(Section):
    """What a scheduled run backports to the stable branches."""

    main: Annotated[str, Field(min_length=1)] | None = None
    """The branch that originals are merged to; by default the repository's default branch."""
    rules: tuple[Rule, ...] = Field(default=(), strict=False)
    """What belongs on which branch. One rule that matches is enough. Without rules only the next two keys count."""
    carried_patches: bool = True
    """Whether the original of a carried patch belongs on each branch that `check` finds affected."""
    follow: bool = True
    """Whether a fix (`Fixes:`) or a revert of something on a branch belongs there, too."""
    deny: tuple[Refusal, ...] = Field(default=(), strict=False)
    """What does not belong on a branch, and why."""
    refuse_labels: tuple[Glob, ...] = Field(default=("no-backport", "no-backport {target}"), strict=False)
    """Labels by which a person refuses backports to all branches or to one; `{target}` is the branch."""
    most_missing: Annotated[int, Field(ge=1, le=10_000)] = 100
    """If more pull requests are missing on a branch, a run opens none there and says so: the rules are too wide."""
    max_open: Annotated[int, Field(ge=0, le=100)] = 5
    """Backport pull requests of the bot that may be open on one branch at a time."""
    max_gpu_minutes: Annotated[float, Field(ge=0, le=1440, strict=False)] = 60
    """Minutes that the regression suites of one run may take on a GPU."""
    tracking_issue: bool = True
    """With `--open`, keep one issue for each branch that lists what is missing and what to do next."""
