"""Words the verdict on a change that has nothing to prove it: no carried patch and no tests.

Documentation, CI and packaging need no tests. Tests that the original has and the backport lacks are another matter:
such a change has tests, and they were not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.models import Candidate, Match, SuiteRun, Verdict, VerdictOutcome
from bot.text.globs import matches_any, matches_path
from bot.text.markdown import count

_KINDS = {
    "documentation": (
        *("*.md", "*.mdx", "*.rst", "*.adoc", "LICENSE*", "NOTICE*", "AUTHORS*", "CHANGES*", "CHANGELOG*", "HISTORY*"),
        *("docs/**", "doc/**", "**/changelog.d/**", "**/newsfragments/**", ".changeset/**", "man/**"),
    ),
    "CI": (
        *(".github/**", ".circleci/**", ".gitlab/**", ".buildkite/**", ".azure-pipelines/**"),
        *(".gitlab-ci.yml", ".travis.yml", "azure-pipelines*.yml", "Jenkinsfile", "appveyor.yml", ".cirrus.yml"),
        *(".pre-commit-config.yaml", "codecov.yml", ".codecov.yml", ".readthedocs.y*ml"),
    ),
    "packaging": (
        *("pyproject.toml", "setup.py", "setup.cfg", "MANIFEST.in", "requirements*.txt", "*requirements.txt", "*.lock"),
        *("constraints*.txt", "requirements/*.txt", "package.json", "package-lock.json", "npm-shrinkwrap.json"),
        *("pnpm-lock.yaml", "go.mod", "go.sum", "Cargo.toml", "pom.xml", "*.gradle", "*.gradle.kts"),
        *("Dockerfile*", "*.Dockerfile", ".dockerignore", "*.spec", "debian/**", "*.nix"),
    ),
}
"""Patterns of the files that need no test. One without a slash names a file in any folder."""
_PARSED = {"Python": (".py", ".pyi"), "JSON": (".json",), "YAML": (".yaml", ".yml"), "TOML": (".toml",)}
"""What `bot.analysis.file_checks` parses."""
_MOST_NAMED = 3
_UNRUN = (VerdictOutcome.NOT_REPRODUCED, VerdictOutcome.INCOMPLETE)
"""Outcomes of the target's own commands alone that are no worse with the change, and prove nothing."""


def no_tests(files: Sequence[str], checks: str = "") -> Verdict:
    """Return the verdict on a change of these files that has no suite. `checks` says what was looked at instead."""
    base, candidate = (SuiteRun(tree=tree, cases=(), device=None, seconds=0.0) for tree in ("base", "candidate"))
    reason = " ".join(filter(None, (missing_tests(files), checks)))
    return Verdict(outcome=VerdictOutcome.NO_TESTS, reason=reason, base=base, candidate=candidate)


def guarded_only(verdict: Verdict) -> Verdict:
    """Return the verdict of the target's own commands on a change without tests: at best they are no worse."""
    if verdict.outcome not in _UNRUN:
        return verdict
    reason = f"The target's own commands are no worse with the change. {verdict.reason}"
    return replace(verdict, outcome=VerdictOutcome.NO_TESTS, reason=reason)


def missing_tests(files: Sequence[str]) -> str:
    """Say in a sentence or two why a change of these files has no tests to prove it."""
    kinds = {kind for path in files for kind in [_kind(path)]}
    if files and None not in kinds:
        names = " and ".join(kind for kind in _KINDS if kind in kinds)
        return f"The change is {names} only ({_listed(files)}), which needs no tests."
    return (
        "No carried patch is known for this pull request and it changes no tests, so nothing could prove it. Tests "
        "that lie elsewhere are found once `prove.tests.paths` of the configuration names them."
    )


def _kind(path: str) -> str | None:
    """Return the kind of a file that needs no test, or None for any other file."""
    name = path.rpartition("/")[2]
    for kind, patterns in _KINDS.items():
        if any(matches_path(pattern, path if "/" in pattern else name) for pattern in patterns):
            return kind
    return None


def checks_instead(candidate: Candidate) -> str:
    """Say what was checked of a candidate without running it. This is what `bot.analysis` looked at, no more."""
    checks = ["that it applies", "that no merge marker is left"]
    parsed = [kind for kind, suffixes in _PARSED.items() if any(path.endswith(suffixes) for path in candidate.files)]
    if parsed:
        checks.append(f"that its {', '.join(parsed)} files parse")
    if "Python" in parsed:
        checks.append("that they use no name that the branch lacks")
    listed = f"{', '.join(checks[:-1])} and {checks[-1]}"
    return f"Instead it was checked {listed}{_found(candidate.findings)}."


def _found(findings: Sequence[Match]) -> str:
    return f"; {count(len(findings), 'place')} did not pass" if findings else ""


def unrun_tests(candidate: Candidate, patterns: Sequence[str]) -> str:
    """Say which tests the original has and the candidate lacks, so that they did not run; empty if there are none."""
    left_out = _tests(candidate.left_out, patterns)
    if left_out:
        return f"The original has tests ({_listed(left_out)}), which `pick.leave_out` leaves out, so they were not run."
    absent = _tests(candidate.absent_files, patterns)
    if absent:
        return (
            f"The original has tests ({_listed(absent)}), which the backport does not change: the branch has them "
            "already, or not at all. So they were not run."
        )
    return ""


def _tests(paths: Iterable[str], patterns: Sequence[str]) -> list[str]:
    names = [pattern for pattern in patterns if "/" not in pattern]
    return [path for path in paths if matches_any(names, path.rpartition("/")[2])]


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"{', '.join(paths[:_MOST_NAMED])}{more}"
