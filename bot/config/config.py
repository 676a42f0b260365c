"""The top-level keys of backport.yaml. Each section has a module of its own beside this one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.config.elsewhere import OtherRepository
from bot.config.permissions import Permissions
from bot.config.pick import PickConfig
from bot.config.prove import ProveConfig
from bot.config.publish import CommitOptions, Committer, Publish, Templates
from bot.config.sync import Sync
from bot.config.trigger_labels import TriggerLabel
from bot.config.values import (
    BranchTemplate,
    Label,
    LabelTemplate,
    Pattern,
    RepositoryName,
    Section,
    TitleTemplate,
    fill,
)
from bot.models import Target
from bot.text.branch_names import slug


class Config(Section):
    """The whole of backport.yaml."""

    repository: RepositoryName
    """The repository, as `owner/name`. By default that of GITHUB_REPOSITORY, else of the checkout's remote `upstream`
    or `origin`."""
    branches: tuple[Pattern, ...] = Field(default=("release/*",), strict=False, min_length=1)
    """The stable branches: what `all` and `auto` mean, and where globs look. `*` stops at a slash, `**` does not."""
    elsewhere: tuple[OtherRepository, ...] = Field(default=(), strict=False)
    """Target branches in other repositories."""
    max_targets: Annotated[int, Field(ge=1, le=50)] = 20
    """The most target branches that one command may name or match."""
    branch_name: BranchTemplate = "backport/{number}-to-{target_slug}"
    """The backport branch. `{target_slug}` is the target with `-` for `/`; `{target}` is the target as it is. If two
    branches give the same name (`release/1.2`, `release-1.2`), a digest is appended."""
    title: TitleTemplate = "[{target}] {title} (backport #{number})"
    """The title of a backport pull request."""
    labels: tuple[Label, ...] = Field(default=("backport",), strict=False)
    """Labels set on every backport pull request."""
    trigger_label: LabelTemplate = "backport {target}"
    """A label that requests a backport when a person puts it on a merged pull request."""
    trigger_labels: tuple[TriggerLabel, ...] = Field(default=(), strict=False)
    """Further labels that do, by patterns. The first pattern that matches counts."""
    permissions: Permissions = Permissions()
    """Who may run which command."""
    patches: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), strict=False)
    """Folders with further carried patches, relative to this file. Those of the bot are always there."""
    pick: PickConfig = PickConfig()
    """How a candidate is made."""
    prove: ProveConfig = ProveConfig()
    """How a candidate is proven."""
    publish: Publish = Publish()
    """What a backport pull request gets besides its branch and its text."""
    commit: CommitOptions = CommitOptions()
    """How the cherry-picked commits are written."""
    sync: Sync = Sync()
    """What a scheduled run backports to the stable branches."""
    committer: Committer = Committer()
    """Who commits the cherry-picked commits."""
    templates: Templates = Templates()
    """Templates that replace the built-in ones."""

    def backport_branch(self, number: int, target: str) -> str:
        """Return the backport branch for an original pull request and a target, in the target's repository."""
        target = Target.parse(target).branch
        return fill(self.branch_name, number=str(number), target=target, target_slug=slug(target))
