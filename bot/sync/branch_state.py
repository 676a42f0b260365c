"""One branch: which single state each original has there, and why.

Owns the order in which the questions are asked: what is there, what a person said, what the policy says, what a trial
says. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from bot.carried.load import CarriedPatch
from bot.config import Config
from bot.history.branch_contents import BranchContents, BranchHistory
from bot.history.commits import Position
from bot.history.scan import Scan
from bot.sync.backports import Backports
from bot.sync.fix_references import References
from bot.sync.policy import Policy
from bot.sync.trial import TrialResult
from bot.sync.trial_cache import Trials
from bot.sync.types import BranchState, Original, OriginalState, State


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFacts:
    """All that is known before anything is tried. `patch_of` are carried patches by the original's position.

    `noted` are the originals of which there is more to say on any branch than that they are there or not.
    """

    scan: Scan
    config: Config
    policy: Policy
    originals: Mapping[Position, Original]
    names: Mapping[Position, str]
    backports: Backports
    patch_of: Mapping[Position, CarriedPatch]
    references: References
    noted: Set[Position]
    makes: Callable[[Position, Position], bool]
    """Says whether a commit makes the change of another one."""
    complete: Callable[[Original, bool], Original]
    """Adds to an original what is only needed for a trial; whether GitHub may be asked for it is said each time."""


def branch_state(name: str, facts: SyncFacts, trials: Trials) -> BranchState:
    """Find the state of every original since the branch point."""
    scan = facts.scan
    history, landed = scan.branches[name], scan.landed[name]
    look = _Look(facts, history, landed)
    told_of = {*facts.noted, *landed.present, *landed.reverted}
    since = scan.main.since(history.point)
    settled: list[OriginalState] = []
    missing: list[tuple[Original, str]] = []
    not_asked = [facts.names[at] for at in since if at not in told_of]
    for original in (facts.originals[at] for at in since if at in told_of):
        if standing := look.known(original) or look.pointless(original):
            settled.append(standing)
        elif asked_by := look.asked_by(original):
            missing.append((original, asked_by))
        else:
            not_asked.append(original.name)
    settled += look.tried(missing, trials)
    return BranchState(
        branch=name,
        tip=scan.commits[history.tip].sha,
        point=scan.commits[history.point].sha,
        originals=tuple(sorted(settled, key=lambda each: each.original.position)),
        not_asked=tuple(not_asked),
    )


class _Look:
    def __init__(self, facts: SyncFacts, history: BranchHistory, landed: BranchContents) -> None:
        self._facts, self._history, self._landed = facts, history, landed
        self._branch = history.name
        self._scan = facts.scan
        self._policy = facts.policy.on(history.name)

    def _standing(self, original: Original, state: State, reason: str, pull: int | None = None) -> OriginalState:
        return OriginalState(branch=self._branch, original=original, state=state, reason=reason, pull_request=pull)

    # --- what is known ------------------------------------------------------------------------------------------------

    def known(self, original: Original) -> OriginalState | None:
        """Return the state that needs no trial, or None for what the branch could have and has not."""
        at = original.position
        if landing := self._landed.present.get(at):
            landed = self._scan.commits[landing.commit].commit_date
            return replace(self._standing(original, State.ALREADY_APPLIED, landing.reason), landed=landed)
        if reverted := self._landed.reverted.get(at):
            return self._standing(original, State.REVERTED, f"{reverted.reason} on the branch")
        if (by := self._scan.main.undone_by.get(at)) is not None:
            return self._standing(original, State.REVERTED, f"{self._name(by)} reverted it on the main branch")
        return self._by_pull_request(original) or self._refused(original)

    def _by_pull_request(self, original: Original) -> OriginalState | None:
        pull = self._facts.backports.get((original.number or 0, self._branch))
        if pull is None:
            return None
        if pull.state == "open":
            return self._standing(original, State.OPENED, f"#{pull.number} is open", pull.number)
        if pull.merged:
            # Its texts may say anything: it counts where what it left makes the change, else a trial decides.
            left = self._scan.commits.find(pull.merge_commit) if pull.merge_commit else None
            borne_out = left is not None and self._facts.makes(left, original.position)
            reason = f"#{pull.number} is merged"
            return self._standing(original, State.ALREADY_APPLIED, reason, pull.number) if borne_out else None
        reason = f"#{pull.number} was closed without being merged"
        return self._standing(original, State.REFUSED_BY_PERSON, reason, pull.number)

    def _refused(self, original: Original) -> OriginalState | None:
        refused = self._policy.refused(original)
        if refused is None:
            return None
        state = State.REFUSED_BY_PERSON if refused.by_person else State.REFUSED_BY_POLICY
        return self._standing(original, state, refused.reason)

    def pointless(self, original: Original) -> OriginalState | None:
        """Return that the branch is not affected, where all that an original fixes or reverts is not there."""
        aims = list(self._aimed_at(original))
        if not aims or any(there for _, there in aims) or self._policy.names(original):
            return None
        reason = f"it fixes or reverts {_listed(self._name(at) for at, _ in aims)}, which the branch does not have"
        return self._standing(original, State.NOT_AFFECTED, reason)

    # --- what is asked for --------------------------------------------------------------------------------------------

    def asked_by(self, original: Original) -> str:
        """Say what of the policy asks for an original that is not there; empty where nothing does."""
        sync = self._facts.config.sync
        by_rule = self._policy.asked_by(original)
        if by_rule:
            return by_rule
        if sync.follow and (on_branch := [at for at, there in self._aimed_at(original) if there]):
            return f"it fixes or reverts {self._name(on_branch[0])}, which is on the branch"
        if sync.carried_patches and (patch := self._facts.patch_of.get(original.position)):
            return f"the carried patch {patch.name} is for it"
        return ""

    def _aimed_at(self, original: Original) -> Iterator[tuple[Position, bool]]:
        """Yield what an original fixes or reverts, and whether the branch has that."""
        return ((at, self._is_there(at)) for at in self._facts.references.get(original.position, ()))

    def _is_there(self, at: Position) -> bool:
        place = self._scan.main.place
        return at in self._landed.present or place[at] >= place[self._history.point]

    def _name(self, at: Position) -> str:
        commit = self._scan.commits[at]
        return f"#{commit.number}" if commit.number else commit.sha[:12]

    # --- what a trial says --------------------------------------------------------------------------------------------

    def tried(self, missing: Sequence[tuple[Original, str]], trials: Trials) -> Iterator[OriginalState]:
        """Return the state of what the branch should have and has not."""
        reasons = {original.position: asked_by for original, asked_by in missing}
        # Rules that are too wide must not cost a request for each of thousands of pull requests.
        few = len(missing) <= self._facts.config.sync.most_missing
        left = [self._facts.complete(each, few) for each, _ in missing]
        outcomes = trials.on_branch(self._branch, self._scan.commits[self._history.tip].sha, left, self._facts.patch_of)
        for original in left:
            yield self._concluded(original, outcomes[original.position], reasons[original.position])

    def _concluded(self, original: Original, outcome: TrialResult, asked_by: str) -> OriginalState:
        part = self._landed.partial.get(original.position)
        note = f"; {len(part)} of its commits are on the branch" if part else ""
        found = (self._scan.commits.find(sha) for sha in outcome.needs)
        brought_by = (self._scan.main.brought_by.get(at, at) for at in found if at is not None)
        needs = tuple(dict.fromkeys(map(self._name, brought_by)))
        reason = f"{outcome.reason}, and applies after {_listed(needs)}" if needs else outcome.reason
        return OriginalState(
            branch=self._branch,
            original=original,
            state=outcome.state,
            reason=reason + note,
            asked_by=asked_by,
            needs=needs,
        )


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
