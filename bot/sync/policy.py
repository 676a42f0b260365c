"""Applies the `sync` section: whether an original belongs on a branch, and by which rule, refusal or label. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.config import Conditions, Refusal, Rule, Sync
from bot.config.values import fill
from bot.sync.types import Original
from bot.text.branch_names import matches_glob
from bot.text.globs import compile_glob, matches_path

_LONGEST = 20_000
"""Characters of a description that globs are matched with: each takes time, and the text is anybody's."""


@dataclass(frozen=True, slots=True)
class PolicyRefusal:
    """Why an original does not belong on the branch; `by_person` if a label says so, not the policy."""

    reason: str
    by_person: bool = False


class Policy:
    """The policy of one configuration. Conditions are evaluated once for each original, not for each branch."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._rules = [(rule, _condition(rule)) for rule in sync.rules]
        self._deny = [(refusal, _condition(refusal)) for refusal in sync.deny]
        self._any_refusal = _Globs(fill(label, target="*") for label in sync.refuse_labels)

    def concerns(self, original: Original) -> bool:
        """Say whether a rule, a refusal or a label applies to the original on any branch."""
        if self._any_refusal.first(original.labels):
            return True
        return any(condition(original) for _, condition in (*self._rules, *self._deny))

    def on(self, branch: str) -> BranchPolicy:
        """Return the part of the policy that applies to a branch."""
        return BranchPolicy(
            labels=_Globs(fill(label, target=branch) for label in self._sync.refuse_labels),
            rules=[(rule, condition) for rule, condition in self._rules if _applies_to(rule, branch)],
            deny=[(refusal, condition) for refusal, condition in self._deny if _applies_to(refusal, branch)],
        )


Condition = Callable[[Original], str]
"""Returns in a few words why an original meets conditions; empty if it does not."""


@dataclass(frozen=True, slots=True)
class BranchPolicy:
    """The part of a policy that applies to one branch."""

    labels: _Globs
    rules: Sequence[tuple[Rule, Condition]]
    deny: Sequence[tuple[Refusal, Condition]]

    def refusal_of(self, original: Original) -> PolicyRefusal | None:
        """Return what keeps an original off the branch, or None."""
        label = self.labels.first(original.labels)
        if label:
            return PolicyRefusal(f"the label `{label}` says so", by_person=True)
        return next((PolicyRefusal(refusal.reason) for refusal, condition in self.deny if condition(original)), None)

    def asked_by(self, original: Original) -> str:
        """Return which rule asks for an original; empty if none does."""
        return next(filter(None, (condition(original) for _, condition in self.rules)), "")

    def names(self, original: Original) -> bool:
        """Say whether a rule asks for an original by its number; no finding of ours overrules that."""
        return any(original.number in rule.pull_requests for rule, _ in self.rules)


class _Globs:
    """Globs that match whole texts, ignoring case."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._compiled = [(glob, compile_glob(glob, ignore_case=True)) for glob in globs]

    def first(self, texts: Iterable[str]) -> str:
        """Return the first text that a glob matches, or an empty one."""
        return next((text for text in texts if any(regex.fullmatch(text) for _, regex in self._compiled)), "")

    def first_glob(self, texts: Iterable[str]) -> str:
        """Return the first glob that matches a text, or an empty one."""
        values = [text for text in texts if text]
        return next((glob for glob, regex in self._compiled if any(map(regex.fullmatch, values))), "")


def _applies_to(rule: Rule | Refusal, branch: str) -> bool:
    return any(matches_glob(pattern, branch) for pattern in rule.branches)


def _condition(conditions: Conditions) -> Condition:
    """Return one condition that holds if all of these do; it caches its results."""
    tests = list(_tests(conditions))
    # A branch asks for thousands of originals, and the other branches ask for the same ones.
    cache: dict[int, str] = {}

    def condition(original: Original) -> str:
        if original.position not in cache:
            reasons = [test(original) for test in tests]
            cache[original.position] = ", ".join(reasons) if all(reasons) else ""
        return cache[original.position]

    return condition


def _tests(conditions: Conditions) -> Iterator[Condition]:
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


def _text_test(kind: str, globs: Iterable[str], values: Callable[[Original], Iterable[str]]) -> Condition:
    patterns = _Globs(globs)

    def test(original: Original) -> str:
        glob = patterns.first_glob(values(original))
        return f"{kind} `{glob}`" if glob else ""

    return test


def _path_test(globs: tuple[str, ...], paths: tuple[str, ...]) -> str:
    return next((f"changes `{path}`" for path in paths for glob in globs if matches_path(glob, path)), "")
