"""Learning from the backports that the repository already has, before the first pick of a request.

This only helps: if the branches cannot be read, the picks go on without it. In the middle of a pick, as with a partial
mirror, that is an error instead: a fetch that breaks off must not decide how the pick ends.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bot.commands.targets import stable_branches
from bot.errors import GitError
from bot.models import Sha
from bot.pick.context import PickContext

log = logging.getLogger(__name__)


def learn_backports(context: PickContext, commits: Sequence[Sha] = (), branches: Iterable[str] = ()) -> None:
    """Read which commits of the stable branches are backports, so that a neighbour's can be picked and learned from.

    If `commits` are to be picked onto `branches`, one walk of the history serves all these branches. With a partial
    mirror all this waits until a pick asks for backports: most need none, and none of the other branches' history.
    """
    if context.mirror.partial is not None:
        context.caches.index.before_reading = lambda: _learn(context, commits, branches)
        return
    try:
        _learn(context, commits, branches)
    except GitError as error:
        log.warning("%s", error)


def _learn(context: PickContext, commits: Sequence[Sha], branches: Iterable[str]) -> None:
    tips = context.mirror.recent_branches()
    stable = [tips[branch] for branch in stable_branches(tips, context.config)]
    targets = [tips[branch] for branch in branches if branch in tips]
    context.mirror.fetch([*stable, *targets, *commits])
    context.caches.index.read(context.mirror, stable)
    if commits:
        context.caches.histories.announce(commits, targets)
