"""The second stage: one target branch's candidate, with its objects in a bundle.

Owns pick/. Needs read access to the repository and has no door to GitHub; runs nobody's code.
"""

from __future__ import annotations

from bot.errors import ConfigError
from bot.git.bundle import write_bundle
from bot.model import AlreadyApplied, Candidate, Conflicted
from bot.stages.folder import RunFolder
from bot.stages.records import Picked, Planned, tagged
from bot.workflow import line
from bot.workflow.learning import learn_backports
from bot.workflow.workplace import Workshop


def pick_target(target: str, folder: RunFolder, at: Workshop) -> Picked:
    """Make the candidate of a planned target branch and write it down; every ending is written, none is an exception.

    Raises:
        RunFolderError: there is no such target in the plan.
    """
    planned = folder.plan().find(target)
    made = line.contained(planned.plan.branch, lambda: _pick(planned, folder, at))
    picked = Picked.model_validate({"made": tagged(made)})
    folder.write(f"pick/{target}.json", picked)
    return picked


def _pick(planned: Planned, folder: RunFolder, at: Workshop) -> Candidate | Conflicted | AlreadyApplied:
    if at.config.commit.verified:
        raise ConfigError(
            "`commit.verified` needs a token between the pick and the proof, which these jobs do not have.",
            hint="Set it to false, or run the bot as a service.",
        )
    request, plan = planned.request, planned.plan
    learn_backports(at)
    at.mirror.fetch([plan.base_commit, *plan.commits, *request.companion_originals.values()])
    made = line.pick(plan, request.backport(at.patch_for(request.original)), at)
    if isinstance(made, Candidate):
        write_bundle(at.mirror, made.base_commit, made.commit, folder.made(f"pick/{planned.id}.bundle"))
    return made
