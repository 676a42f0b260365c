"""The merged originals of companions: picked where they apply; where not, they give author and message."""

from __future__ import annotations

from dataclasses import replace

from bot.carried.companions import companions_of
from bot.carried.load import CarriedPatch
from bot.errors import BackportError
from bot.models import Sha
from bot.pipeline.context import RepositoryContext
from bot.pipeline.merged_commits import merged_commits


def merged_originals(patch: CarriedPatch, context: RepositoryContext) -> dict[str, tuple[Sha, ...]]:
    """Return the commits of each companion's original by the companion's name, and bring them into the mirror.

    One that is not merged here, or that cannot be fetched, is left out. The companion is carried by its rules all the
    same.
    """
    commits = ((companion.name, _commits(companion, context)) for companion in companions_of(patch, context.patches))
    return {name: shas for name, shas in commits if shas}


def _commits(companion: CarriedPatch, context: RepositoryContext) -> tuple[Sha, ...]:
    original = companion.provenance.original
    if original.repository.casefold() != context.config.repository.casefold():
        return ()
    try:
        pull_request = context.github.pull_request(original.pull_request)
        # The fix itself does not wait for what GitHub may still learn of a companion.
        return merged_commits(pull_request, replace(context, pauses=()))[1] if pull_request.merged else ()
    except BackportError as error:
        context.progress(f"{companion.name}: its original cannot be read ({error.message})")
        return ()
