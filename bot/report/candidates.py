"""Describes a candidate in Markdown: its method, its fidelity, and what in it goes beyond the original.

It also words methods and names commits for every other text that people read. Foreign text in the Markdown is inert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot.models import Candidate, Certainty, Method, RelatedCommit
from bot.text.markdown import code, count, prose, sha, text

MAX_PATHS = 5


def method_text(method: Method) -> str:
    """Name a method for a reader."""
    match method:
        case Method.CHERRY_PICK:
            return "cherry-pick"
        case Method.CARRIED_PATCH:
            return "carried patch"
        case Method.SIBLING:
            return "backport to another branch"
        case Method.RESOLVED:
            return "cherry-pick with resolved conflicts"
        case _:
            assert_never(method)


def how_applied(candidate: Candidate) -> str:
    """Return a candidate's method and fidelity, in a few words."""
    parts = [method_text(candidate.method), candidate.fidelity.value]
    parts += ["a proposal"] if candidate.certainty is Certainty.PROPOSED else []
    if candidate.prerequisites:
        parts.append(f"with {count(len(candidate.prerequisites), 'earlier commit')}")
    companions = f", and {count(len(candidate.companions), 'companion')}" if candidate.companions else ""
    return ", ".join(parts) + companions


def describe_proposal(candidate: Candidate) -> str:
    """Warn that a candidate is a proposal, and name the files that make it one; empty for a certain candidate."""
    places = dict.fromkeys(part.path for part in candidate.resolutions if part.certainty is Certainty.PROPOSED)
    if candidate.certainty is not Certainty.PROPOSED or (candidate.findings and not places):
        return ""
    if not places:
        return "It is a proposal, which may be wrong."
    files = list_paths(list(places))
    return f"It is a proposal, which may be wrong: conflicts in {files} were resolved in a likely, not a certain way."


def describe_prerequisites(candidate: Candidate) -> str:
    """Name the earlier commits of main that a candidate brings along; empty if there are none."""
    if not candidate.prerequisites:
        return ""
    many = count(len(candidate.prerequisites), "earlier commit")
    return f"It brings {many} of main along: {', '.join(map(describe_commit, candidate.prerequisites))}."


_MAX_FINDINGS = 3


def describe_findings(candidate: Candidate) -> str:
    """Name what a candidate uses and its branch lacks, on one line of a comment; empty if there is nothing."""
    if not candidate.findings:
        return ""
    places = [
        f"{code(f'{place.file}:{place.line}')} {prose(place.detail)}" for place in candidate.findings[:_MAX_FINDINGS]
    ]
    surplus = len(candidate.findings) - len(places)
    places += [f"and {count(surplus, 'more place')}"] if surplus else []
    return f"It applies, but seems to need what this branch does not have: {'; '.join(places)}."


def describe_left_out(paths: Sequence[str]) -> str:
    """Name the files that are left out of a backport; empty if there are none."""
    return f"Left out by {code('pick.leave_out')}: {list_paths(paths)}." if paths else ""


def describe_candidate(candidate: Candidate) -> list[str]:
    """Return a sentence for each kind of thing in which a candidate goes beyond the original."""
    sentences = (describe_proposal(candidate), describe_prerequisites(candidate), describe_findings(candidate))
    return [sentence for sentence in sentences if sentence]


def describe_commit(commit: RelatedCommit) -> str:
    """Name a commit by object name, subject and author. GitHub puts the pull request's number into the subject."""
    name = f"{sha(commit.sha)} ({text(commit.subject, 100)}, by {text(commit.author, 60)})"
    return name + (f", only what it changes in {list_paths(commit.paths)}" if commit.paths else "")


def list_paths(paths: Sequence[str]) -> str:
    """Name the first paths and count the others."""
    surplus = len(paths) - MAX_PATHS
    return ", ".join(map(code, paths[:MAX_PATHS])) + (f" and {count(surplus, 'more file')}" if surplus > 0 else "")
