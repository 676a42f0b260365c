"""Checks whether a tree has the fault that a carried patch fixes.

The first clause of the patch whose conditions all hold decides. If none does, the tree is `unknown`; nothing is
guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ast_grep_py import SgNode

from bot.carried import ast_grep_rules
from bot.carried.check_measures import MeasureResult, take
from bot.carried.load import CarriedPatch
from bot.carried.module_scope import ModuleScope
from bot.carried.schema_code import Clause, Condition
from bot.carried.source_tree import Source, find_file, find_root, parse_source
from bot.models import Affectedness, DetectResult, Match, SourceTree


def check(tree: SourceTree, patch: CarriedPatch) -> DetectResult:
    """Distinguish affected, fixed and not-affected trees, with the places that show it."""
    target = patch.file.target
    if find_root(tree, target) is None:
        roots = " or ".join(f"`{root}`" for root in target.roots)
        reason = f"This is no {target.project} tree: no `{target.package}` below {roots}."
        return _report(patch, Affectedness.UNKNOWN, reason)
    return _Detection(Sources(tree, patch)).report()


def find_follow_ups(tree: SourceTree, patch: CarriedPatch) -> tuple[Match, ...]:
    """Return the sites in a tree that reviewers of the original pointed at; `detail` is the note."""
    sources = Sources(tree, patch)
    sites: list[Match] = []
    for follow_up in patch.follow_ups:
        source = sources.get(follow_up.file)
        if isinstance(source, Source):
            matches = sources.matches(follow_up.file, follow_up.rule)
            sites += [Match(source.path, m.range().start.line + 1, follow_up.name, follow_up.note) for m in matches]
    return tuple(sites)


class Sources:
    """The files that a patch names, found and parsed on demand."""

    def __init__(self, tree: SourceTree, patch: CarriedPatch) -> None:
        self.tree = tree
        self.patch = patch
        self.root = find_root(tree, patch.file.target)
        self._known: dict[str, Source | str | None] = {}
        self._roots: dict[str, SgNode] = {}

    def get(self, key: str) -> Source | str | None:
        """Return the file of a key, None if the tree has none, or a sentence that says why it is unknown."""
        if key not in self._known:
            self._known[key] = self._load(key)
        return self._known[key]

    def matches(self, key: str, rule: Mapping[str, Any]) -> list[SgNode]:
        """Return the matches of a rule in the file of a key; none if there is no such file."""
        source = self.get(key)
        if not isinstance(source, Source):
            return []
        if key not in self._roots:
            self._roots[key] = ast_grep_rules.parse(source.text)
        return ast_grep_rules.find(self._roots[key], rule, self.patch.file.shared_rules)

    def path(self, key: str) -> str:
        """Return the file's path, or its usual path if it was not found."""
        source = self._known.get(key)
        return source.path if isinstance(source, Source) else self.patch.file.target.files[key].path

    def _load(self, key: str) -> Source | str | None:
        target = self.patch.file.target
        if self.root is None:
            return None
        lookup = find_file(self.tree, self.root, target, target.files[key])
        if lookup.path is None:
            return lookup.problem or None
        return parse_source(lookup.path, self.tree.read(lookup.path) or b"")


def _report(patch: CarriedPatch, status: Affectedness, reason: str, evidence: tuple[Match, ...] = ()) -> DetectResult:
    return DetectResult(patch=patch.name, status=status, reason=reason, evidence=evidence)


@dataclass(frozen=True, slots=True)
class _Finding:
    """The result of one condition (None: unknown), the reason, and the places."""

    holds: bool | None
    says: str
    evidence: tuple[Match, ...] = ()


@dataclass(slots=True)
class _Detection:
    sources: Sources
    results: dict[str, MeasureResult] = field(default_factory=dict)
    scope: dict[tuple[str, str | None], ModuleScope] = field(default_factory=dict)

    @property
    def patch(self) -> CarriedPatch:
        return self.sources.patch

    def report(self) -> DetectResult:
        open_clauses: list[tuple[Clause, list[_Finding]]] = []
        for clause in self.patch.file.detect:
            findings = [self._evaluate(condition) for condition in clause.when]
            if all(finding.holds for finding in findings):
                return _report(self.patch, clause.status, clause.reason, _evidence(findings))
            # No condition failed, only some are unknown.
            if not any(finding.holds is False for finding in findings):
                # This clause might decide, so no later one may.
                return self._unknown(clause, findings)
            open_clauses.append((clause, findings))
        # The clause that came nearest says best what is missing.
        return self._unknown(*max(reversed(open_clauses), key=lambda pair: sum(bool(f.holds) for f in pair[1])))

    def _unknown(self, clause: Clause, findings: list[_Finding]) -> DetectResult:
        unmet = [finding for finding in findings if not finding.holds]
        reason = f"Not enough to call it {clause.status}: {'; '.join(finding.says for finding in unmet)}."
        return _report(self.patch, Affectedness.UNKNOWN, reason, _evidence(unmet) or _evidence(findings))

    def _evaluate(self, condition: Condition) -> _Finding:
        file = self.patch.file
        match condition.kind:
            case "holds" | "fails":
                key = file.functions[file.measures[condition.subject].function].file
            case "some" | "none":
                key = file.rules[condition.subject].file
            case "without_function":
                key = file.functions[condition.subject].file
            case _:
                return self._without_file(condition.subject)
        source = self.sources.get(key)
        if isinstance(source, str):
            return _Finding(None, source, (Match(self.sources.path(key), 0, key, source),))
        if source is None:
            is_absent = condition.kind in ("none", "without_function")
            return _Finding(is_absent, f"{self.sources.path(key)} is not there")
        evaluate = {"holds": self._measure, "fails": self._measure, "some": self._rule, "none": self._rule}
        return evaluate.get(condition.kind, self._without_function)(condition, source)

    def _measure(self, condition: Condition, source: Source) -> _Finding:
        name = condition.subject
        measure = self.patch.file.measures[name]
        if name not in self.results:
            reference = self.patch.file.functions[measure.function]
            module_scope = self.scope.get((reference.file, reference.class_name))
            module_scope = module_scope or ModuleScope.of(source.module, reference.class_name)
            self.scope[reference.file, reference.class_name] = module_scope
            self.results[name] = take(source.module, module_scope, measure, reference)
        result = self.results[name]
        evidence = (Match(source.path, result.line, name, result.detail),)
        if result.holds is None:
            return _Finding(None, f"`{name}` could not be measured ({result.detail})", evidence)
        holds = result.holds is (condition.kind == "holds")
        return _Finding(holds, f"`{name}` holds" if result.holds else measure.says, evidence)

    def _rule(self, condition: Condition, source: Source) -> _Finding:
        name = condition.subject
        rule = self.patch.file.rules[name]
        matches = self.sources.matches(rule.file, rule.rule)
        evidence = tuple(Match(source.path, m.range().start.line + 1, name, rule.says) for m in matches)
        if condition.kind == "some":
            return _Finding(bool(matches), f"no place is seen where {rule.says}", evidence)
        return _Finding(not matches, rule.says, evidence)

    def _without_function(self, condition: Condition, source: Source) -> _Finding:
        reference = self.patch.file.functions[condition.subject]
        # The text is asked, because a definition may be inside an `if` or a `try`.
        is_absent = f"def {reference.name}" not in source.text
        says = f"`{reference.name}` is {'not ' if is_absent else ''}defined"
        return _Finding(is_absent, says, (Match(source.path, 0, condition.subject, says),))

    def _without_file(self, key: str) -> _Finding:
        source = self.sources.get(key)
        path = self.sources.path(key)
        if source is not None:
            says = source if isinstance(source, str) else f"{path} is there"
            return _Finding(None if isinstance(source, str) else False, says, (Match(path, 0, key, says),))
        says = f"no file of the tree has `{self.patch.file.target.files[key].defines}`"
        return _Finding(True, f"{path} is not there", (Match(path, 0, key, says),))


def _evidence(findings: list[_Finding]) -> tuple[Match, ...]:
    return tuple(dict.fromkeys(entry for finding in findings for entry in finding.evidence))
