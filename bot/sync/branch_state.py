"""Finds the one state that each original has on a branch, and the reason for it. Changes nothing.

What is on the branch counts first, then what a person decided, then the policy, and a trial last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from bot.carried.load import CarriedPatch
from bot.config import Config
from bot.history.branch_contents import BranchContents, StableBranch
from bot.history.commit_graph import Position
from bot.history.scan_branches import Scan
from bot.sync.backports import Backports
from bot.sync.fix_references import References
from bot.sync.policy import Policy
from bot.sync.trial import TrialResult
from bot.sync.trial_cache import Trials
from bot.sync.types import MISSING, BranchState, Original, OriginalState, State


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFacts:
    """The facts about all branches before a trial. `patch_of` are carried patches by the original's position.

    `notable` are the originals whose state may depend on more than whether a branch has them.
    """

    scan: Scan
    config: Config
    policy: Policy
    originals: Mapping[Position, Original]
    names: Mapping[Position, str]
    backports: Backports
    patch_of: Mapping[Position, CarriedPatch]
    references: References
    notable: Set[Position]
    makes: Callable[[Position, Position], bool]
    """Says whether a commit makes the change of another one."""
    complete: Callable[[Original, bool], Original]
    """Adds to an original what only a trial needs; the second argument says whether GitHub may be asked for it."""


def branch_state(name: str, facts: SyncFacts, trials: Trials) -> BranchState:
    """Find the state of every original since the branch point."""
    scan = facts.scan
    history, contents = scan.branches[name], scan.landed[name]
    finder = _StateFinder(facts, history, contents)
    notable = {*facts.notable, *contents.present, *contents.reverted}
    positions = scan.main.since(history.point)
    states: list[OriginalState] = []
    backlog: list[tuple[Original, str]] = []
    # Most originals are of no interest, so no state is made for them.
    not_asked = [facts.names[position] for position in positions if position not in notable]
    for original in (facts.originals[position] for position in positions if position in notable):
        if state := finder.without_trial(original) or finder.not_affected(original):
            states.append(state)
        elif asked_by := finder.asked_by(original):
            backlog.append((original, asked_by))
        else:
            not_asked.append(original.name)
    states += finder.by_trial(backlog, trials)
    return BranchState(
        branch=name,
        tip=scan.commits[history.tip].sha,
        point=scan.commits[history.point].sha,
        originals=tuple(sorted(states, key=lambda state: state.original.position)),
        not_asked=tuple(not_asked),
    )


class _StateFinder:
    """Finds the states on one branch."""

    def __init__(self, facts: SyncFacts, history: StableBranch, contents: BranchContents) -> None:
        self._facts, self._history, self._contents = facts, history, contents
        self._branch = history.name
        self._scan = facts.scan
        self._policy = facts.policy.on(history.name)

    def _state(self, original: Original, state: State, reason: str, pull: int | None = None) -> OriginalState:
        return OriginalState(branch=self._branch, original=original, state=state, reason=reason, pull_request=pull)

    # --- without a trial ----------------------------------------------------------------------------------------------

    def without_trial(self, original: Original) -> OriginalState | None:
        """Return the state of an original that is or was on the branch, or is refused; None for any other."""
        position = original.position
        if landing := self._contents.present.get(position):
            date = self._scan.commits[landing.commit].commit_date
            return replace(self._state(original, State.ALREADY_APPLIED, landing.reason), landed=date)
        if landing := self._contents.reverted.get(position):
            return self._state(original, State.REVERTED, f"{landing.reason} on the branch")
        if (revert := self._scan.main.undone_by.get(position)) is not None:
            return self._state(original, State.REVERTED, f"{self._name(revert)} reverted it on the main branch")
        return self._by_pull_request(original) or self._by_refusal(original)

    def _by_pull_request(self, original: Original) -> OriginalState | None:
        pull = self._facts.backports.get((original.number or 0, self._branch))
        if pull is None:
            return None
        if pull.state == "open":
            return self._state(original, State.OPENED, f"#{pull.number} is open", pull.number)
        if pull.merged:
            # Anybody may write its text, so it counts only if its commit makes the change; else a trial decides.
            commit = self._scan.commits.find(pull.merge_commit) if pull.merge_commit else None
            makes_change = commit is not None and self._facts.makes(commit, original.position)
            reason = f"#{pull.number} is merged"
            return self._state(original, State.ALREADY_APPLIED, reason, pull.number) if makes_change else None
        reason = f"#{pull.number} was closed without being merged"
        return self._state(original, State.REFUSED_BY_PERSON, reason, pull.number)

    def _by_refusal(self, original: Original) -> OriginalState | None:
        refusal = self._policy.refusal_of(original)
        if refusal is None:
            return None
        state = State.REFUSED_BY_PERSON if refusal.by_person else State.REFUSED_BY_POLICY
        return self._state(original, state, refusal.reason)

    def not_affected(self, original: Original) -> OriginalState | None:
        """Return the state of an original that only fixes or reverts what the branch does not have; None for others."""
        targets = list(self._references_of(original))
        if not targets or self._policy.names(original):
            return None
        # An unconfirmed one may be there in another form, which may need the same fix.
        if any(on_branch or target in self._contents.unconfirmed for target, on_branch in targets):
            return None
        names = _enumerate(self._name(target) for target, _ in targets)
        return self._state(original, State.NOT_AFFECTED, f"it fixes or reverts {names}, which the branch does not have")

    # --- the policy ---------------------------------------------------------------------------------------------------

    def asked_by(self, original: Original) -> str:
        """Return the part of the policy that asks for an original; empty if none does."""
        sync = self._facts.config.sync
        rule = self._policy.asked_by(original)
        if rule:
            return rule
        if sync.follow and (targets := [target for target, on_branch in self._references_of(original) if on_branch]):
            return f"it fixes or reverts {self._name(targets[0])}, which is on the branch"
        if sync.carried_patches and (patch := self._facts.patch_of.get(original.position)):
            return f"the carried patch {patch.name} is for it"
        return ""

    def _references_of(self, original: Original) -> Iterator[tuple[Position, bool]]:
        """Yield the originals that one fixes or reverts, each with whether it is on the branch."""
        targets = self._facts.references.get(original.position, ())
        return ((target, self._is_on_branch(target)) for target in targets)

    def _is_on_branch(self, position: Position) -> bool:
        place = self._scan.main.place
        return position in self._contents.present or place[position] >= place[self._history.point]

    def _name(self, position: Position) -> str:
        commit = self._scan.commits[position]
        return f"#{commit.number}" if commit.number else commit.sha[:12]

    # --- trials -------------------------------------------------------------------------------------------------------

    def by_trial(self, backlog: Sequence[tuple[Original, str]], trials: Trials) -> Iterator[OriginalState]:
        """Yield the states of originals that the policy asks for and the branch lacks, each with what asks for it."""
        asked_by = {original.position: reason for original, reason in backlog}
        # Rules that are too wide must not cost a request for each of thousands of pull requests.
        few = len(backlog) <= self._facts.config.sync.most_missing
        originals = [self._facts.complete(original, few) for original, _ in backlog]
        tip = self._scan.commits[self._history.tip].sha
        results = trials.on_branch(self._branch, tip, originals, self._facts.patch_of)
        for original in originals:
            yield self._after_trial(original, results[original.position], asked_by[original.position])

    def _after_trial(self, original: Original, result: TrialResult, asked_by: str) -> OriginalState:
        claim = self._unconfirmed_claim(original)
        # The branch may have it in another form, so a person looks first; a rule that names it has been written by one.
        if claim and result.state in MISSING and not self._policy.names(original):
            reason = f"{claim}; {result.reason}"
            return replace(self._state(original, State.UNCONFIRMED, reason), asked_by=asked_by)
        part = self._contents.partial.get(original.position)
        note = f"; {len(part)} of its commits are on the branch" if part else ""
        commits = (self._scan.commits.find(sha) for sha in result.needs)
        positions = (self._scan.main.brought_by.get(commit, commit) for commit in commits if commit is not None)
        needs = tuple(dict.fromkeys(map(self._name, positions)))
        reason = f"{result.reason}, and applies after {_enumerate(needs)}" if needs else result.reason
        return OriginalState(
            branch=self._branch,
            original=original,
            state=result.state,
            reason=reason + note,
            asked_by=asked_by,
            needs=needs,
        )

    def _unconfirmed_claim(self, original: Original) -> str:
        """Return what names an original as its source without making its change; empty if nothing does."""
        if landing := self._contents.unconfirmed.get(original.position):
            return landing.reason
        pull = self._facts.backports.get((original.number or 0, self._branch))
        return f"#{pull.number} is merged as its backport, but makes another change" if pull and pull.merged else ""


def _enumerate(names: Iterable[str]) -> str:
    *head, last = names
    return f"{', '.join(head)} and {last}" if head else last
