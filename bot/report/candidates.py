"""How a candidate was made → the words for it: method, fidelity, and what of it is not plainly the original's.

Owns the names of commits and methods in what people read. The words are Markdown in which foreign text is inert.
"""

from __future__ import annotations

from bot.models import Candidate, Certainty, Method, RelatedCommit
from bot.text.markdown import code, count, prose, sha, text

LISTED_PATHS = 5

METHODS = {
    Method.CHERRY_PICK: "cherry-pick",
    Method.CARRIED_PATCH: "carried patch",
    Method.SIBLING: "backport to another branch",
    Method.RESOLVED: "cherry-pick with resolved conflicts",
}


def how_applied(candidate: Candidate) -> str:
    """Say how a candidate was made and how near it is to the original."""
    said = [METHODS[candidate.method], candidate.fidelity.value]
    said += ["a proposal"] if candidate.certainty is Certainty.PROPOSED else []
    if candidate.prerequisites:
        said.append(f"with {count(len(candidate.prerequisites), 'earlier commit')}")
    companions = f", and {count(len(candidate.companions), 'companion')}" if candidate.companions else ""
    return ", ".join(said) + companions


def describe_proposal(candidate: Candidate) -> str:
    """Say that a candidate is no more than likely, and where it was decided; empty for one that is certain."""
    places = dict.fromkeys(part.path for part in candidate.resolutions if part.certainty is Certainty.PROPOSED)
    if candidate.certainty is not Certainty.PROPOSED or (candidate.findings and not places):
        return ""
    if not places:
        return "It is a proposal, which may be wrong."
    more = f" and {count(len(places) - LISTED_PATHS, 'more file')}" if len(places) > LISTED_PATHS else ""
    files = ", ".join(map(code, list(places)[:LISTED_PATHS])) + more
    return f"It is a proposal, which may be wrong: conflicts in {files} were resolved in a likely, not a certain way."


def describe_prerequisites(candidate: Candidate) -> str:
    """Say which earlier commits of main a candidate brings along; empty where there are none."""
    if not candidate.prerequisites:
        return ""
    many = count(len(candidate.prerequisites), "earlier commit")
    return f"It brings {many} of main along: {', '.join(map(describe_commit, candidate.prerequisites))}."


_SHOWN_FINDINGS = 3


def describe_findings(candidate: Candidate) -> str:
    """Say what a candidate uses that its branch does not have, as far as a line of a comment goes."""
    if not candidate.findings:
        return ""
    places = [
        f"{code(f'{each.file}:{each.line}')} {prose(each.detail)}" for each in candidate.findings[:_SHOWN_FINDINGS]
    ]
    more = len(candidate.findings) - len(places)
    listed = "; ".join(places) + (f"; and {count(more, 'more place')}" if more else "")
    return f"It applies, but seems to need what this branch does not have: {listed}."


def describe_candidate(candidate: Candidate) -> list[str]:
    """Say what of a candidate is not plainly the original's, in sentences."""
    said = (describe_proposal(candidate), describe_prerequisites(candidate), describe_findings(candidate))
    return [sentence for sentence in said if sentence]


def describe_commit(commit: RelatedCommit) -> str:
    """Name a commit: object name, subject (which holds the pull request's number where GitHub merged it), author."""
    named = f"{sha(commit.sha)} ({text(commit.subject, 100)}, by {text(commit.author, 60)})"
    more = f" and {count(len(commit.paths) - LISTED_PATHS, 'more file')}" if len(commit.paths) > LISTED_PATHS else ""
    only = (
        f", only what it changes in {', '.join(map(code, commit.paths[:LISTED_PATHS]))}{more}" if commit.paths else ""
    )
    return named + only
