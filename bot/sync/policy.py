"""The `sync` section applied: does an original belong on a branch, and who says so. Pure.

Owns the meaning of the conditions. Follows no history: what an original fixes or reverts is told to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.config import Conditions, Refusal, Rule, Sync
from bot.config.values import fill
from bot.sync.types import Original
from bot.text.branch_names import matches_glob
from bot.text.globs import compile_glob, matches_path

_LONGEST = 20_000
"""Characters of a description that are looked at: globs are quick, but not for free."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The original does not belong on the branch. `by_person` tells a label from the policy."""

    reason: str
    by_person: bool = False


class Policy:
    """Answers for one configuration. Conditions are judged once for each original, whatever the number of branches."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._rules = [(rule, _judge_of(rule)) for rule in sync.rules]
        self._deny = [(refusal, _judge_of(refusal)) for refusal in sync.deny]
        self._any_refusal = _Globs(fill(label, target="*") for label in sync.refuse_labels)

    def speaks_of(self, original: Original) -> bool:
        """Say whether there is any branch for which a rule, a refusal or a label could mean the original."""
        if self._any_refusal.first(original.labels):
            return True
        return any(judge(original) for _, judge in (*self._rules, *self._deny))

    def on(self, branch: str) -> BranchPolicy:
        """Return what of the policy speaks of one branch."""
        return BranchPolicy(
            labels=_Globs(fill(label, target=branch) for label in self._sync.refuse_labels),
            rules=[(rule, judge) for rule, judge in self._rules if _speaks_of(rule, branch)],
            deny=[(refusal, judge) for refusal, judge in self._deny if _speaks_of(refusal, branch)],
        )


Judge = Callable[[Original], str]
"""Says in a few words why an original meets conditions, or nothing."""


@dataclass(frozen=True, slots=True)
class BranchPolicy:
    """The policy as one branch sees it."""

    labels: _Globs
    rules: Sequence[tuple[Rule, Judge]]
    deny: Sequence[tuple[Refusal, Judge]]

    def refused(self, original: Original) -> Refused | None:
        """Return who keeps an original off the branch, and why."""
        label = self.labels.first(original.labels)
        if label:
            return Refused(f"the label `{label}` says so", by_person=True)
        return next((Refused(refusal.reason) for refusal, judge in self.deny if judge(original)), None)

    def asked_by(self, original: Original) -> str:
        """Say which rule asks for an original; empty where none does."""
        return next(filter(None, (judge(original) for _, judge in self.rules)), "")

    def names(self, original: Original) -> bool:
        """Say whether a rule asks for an original by its number, which no finding of ours overrules."""
        return any(original.number in rule.pull_requests for rule, _ in self.rules)


class _Globs:
    """Globs over whole texts, whatever the case."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._compiled = [(glob, compile_glob(glob, ignore_case=True)) for glob in globs]

    def first(self, texts: Iterable[str]) -> str:
        """Return the first text that a glob means, or nothing."""
        return next((text for text in texts if any(regex.fullmatch(text) for _, regex in self._compiled)), "")

    def first_glob(self, texts: Iterable[str]) -> str:
        """Return the first glob that means a text, or nothing."""
        known = [text for text in texts if text]
        return next((glob for glob, regex in self._compiled if any(map(regex.fullmatch, known))), "")


def _speaks_of(rule: Rule | Refusal, branch: str) -> bool:
    return any(matches_glob(pattern, branch) for pattern in rule.branches)


def _judge_of(conditions: Conditions) -> Judge:
    """Return a function that says in a few words why an original meets the conditions, or nothing; it remembers."""
    tests = list(_tests(conditions))
    known: dict[int, str] = {}

    def judge(original: Original) -> str:
        if original.position not in known:
            found = [test(original) for test in tests]
            known[original.position] = ", ".join(found) if all(found) else ""
        return known[original.position]

    return judge


def _tests(conditions: Conditions) -> Iterator[Judge]:
    kinds: tuple[tuple[str, tuple[str, ...], Callable[[Original], Iterable[str]]], ...] = (
        ("label", conditions.labels, lambda original: original.labels),
        ("milestone", conditions.milestones, lambda original: [original.milestone]),
        ("author", conditions.authors, lambda original: [original.author]),
        ("title like", conditions.titles, lambda original: [original.title]),
        ("description like", conditions.bodies, lambda original: [original.body[:_LONGEST]]),
        ("fixes an issue labelled", conditions.fixes_issue_labels, lambda original: original.issue_labels),
    )
    for kind, globs, values in kinds:
        if globs:
            yield _text_test(kind, globs, values)
    if conditions.paths:
        yield lambda original: _path_test(conditions.paths, original.paths)
    if conditions.pull_requests:
        yield lambda original: f"named as {original.name}" if original.number in conditions.pull_requests else ""


def _text_test(kind: str, globs: Iterable[str], values: Callable[[Original], Iterable[str]]) -> Judge:
    compiled = _Globs(globs)

    def test(original: Original) -> str:
        glob = compiled.first_glob(values(original))
        return f"{kind} `{glob}`" if glob else ""

    return test


def _path_test(globs: tuple[str, ...], paths: tuple[str, ...]) -> str:
    return next((f"changes `{path}`" for path in paths for glob in globs if matches_path(glob, path)), "")
