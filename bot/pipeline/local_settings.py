"""The configuration as it holds for a person at their own machine."""

from __future__ import annotations

from dataclasses import replace

from bot.pipeline.context import RepositoryContext


def quiet_context(context: RepositoryContext) -> RepositoryContext:
    """Return the context without what is not for a person's run.

    Only GitHub Apps can write check runs. A conflict is resolved on the machine, so none is pushed as a draft.
    """
    publish = context.config.publish.model_copy(update={"check_runs": False, "on_conflict": "comment"})
    config = context.config.model_copy(update={"publish": publish})
    return replace(context, pick=replace(context.pick, config=config))
