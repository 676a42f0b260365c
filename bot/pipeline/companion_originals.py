"""The merged originals of companions: each gives its commit's author and message."""

from __future__ import annotations

from bot.carried.companions import companions_of
from bot.carried.load import CarriedPatch
from bot.errors import BackportError
from bot.models import Sha
from bot.pipeline.context import RepositoryContext


def merged_originals(patch: CarriedPatch, context: RepositoryContext) -> dict[str, Sha]:
    """Return the merge commit of each companion's original by the companion's name, and bring it into the mirror.

    One that is not merged here, or that cannot be fetched, is left out. The companion is carried all the same: its
    change comes from rules, and only the credit from the commit.
    """
    commits = (
        (companion.name, _merge_commit(companion, context)) for companion in companions_of(patch, context.patches)
    )
    return {name: commit for name, commit in commits if commit is not None}


def _merge_commit(companion: CarriedPatch, context: RepositoryContext) -> Sha | None:
    original = companion.provenance.original
    if original.repository.casefold() != context.config.repository.casefold():
        return None
    try:
        merge_commit = context.github.pull_request(original.pull_request).merge_commit
        if merge_commit is not None:
            context.mirror.fetch([merge_commit])
    except BackportError as error:
        context.progress(f"{companion.name}: its original cannot be read ({error.message})")
        return None
    return merge_commit
