"""Words the outcome of a target branch: a fact, its consequence and a remedy.

The status comment, the check run and the terminal all use this one description, so they never contradict each other.
It is Markdown in which foreign text is inert.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from bot.commands.parser import Command
from bot.commands.verbs import Verb
from bot.models import (
    AlreadyApplied,
    Cancelled,
    Candidate,
    Certainty,
    Conflicted,
    Failed,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    PullRequest,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
    WouldOpen,
)
from bot.report.candidates import describe_candidate, describe_left_out, how_applied, list_paths
from bot.report.conflict_text import after_prerequisites
from bot.report.verdict import evidence, meaning, verdict_line
from bot.text.markdown import code, count, prose, reference, sha, text
from bot.text.markers import parse_pull_request_marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The outcome of one target branch for a reader. `consequence` and `remedy` may be empty."""

    branch: str
    icon: str
    state: str
    how: str = ""
    verdict: str = ""
    pull_request: str = ""
    fact: str = ""
    consequence: str = ""
    remedy: str = ""


_PLAIN_REQUEST = Command(verb=Verb.BACKPORT)

COMMANDS_BELOW = "Finish it by hand, with the commands below."
IN_A_WORKTREE = "Finish it by hand: with `--resolve` the conflict is in a worktree beside your clone."
COMMANDS_ELSEWHERE = "Finish it by hand: the status comment on the original pull request gives the commands."


def describe(result: TargetOutcome, request: Command = _PLAIN_REQUEST, *, by_hand: str = COMMANDS_ELSEWHERE) -> Ending:
    """Word a target branch's outcome.

    A reader can paste the commands in it as they are: they keep the options and the commits of the `request`.
    `by_hand` says where the commands are that finish a conflict by hand.
    """
    match result:
        case Opened():
            return _opened(result)
        case WouldOpen():
            return _would_open(result, request)
        case Conflicted():
            return _conflicted(result, request, by_hand)
        case NotProven():
            return _not_proven(result, request)
        case NotAffected():
            return Ending(branch=result.target, icon="⚪", state="not affected", fact=prose(result.check.reason))
        case AlreadyApplied() | NothingLeft() | Failed() | Cancelled():
            return _without_candidate(result, request)
        case _:
            assert_never(result)


def _opened(result: Opened) -> Ending:
    draft = " as a draft" if result.pull_request.draft else ""
    if not result.created:
        return Ending(
            branch=result.target,
            icon="✅",
            state="already open",
            verdict="see the pull request",
            pull_request=reference(result.pull_request.number, result.pull_request.url),
            fact=_opener(result.pull_request),
        )
    candidate = result.candidate
    findings = describe_candidate(candidate) if candidate else []
    facts = [*_no_tests(result.verdict), *findings]
    remedy = "Review this before it is merged." if findings else ""
    return Ending(
        branch=result.target,
        icon="✅",
        state=f"opened{draft}",
        how=how_applied(candidate) if candidate else "",
        verdict=_verdict(result.verdict, "not run: unproven"),
        pull_request=reference(result.pull_request.number, result.pull_request.url),
        fact=" ".join(filter(None, (*facts, _left_out(candidate), *map(prose, result.notes)))),
        remedy=remedy,
    )


def _opener(pull_request: PullRequest) -> str:
    if parse_pull_request_marker(pull_request.body) is None:
        return f"{text(pull_request.author)} opened it; nothing was pushed this time."
    return "An earlier request opened it; nothing was pushed this time."


def _would_open(result: WouldOpen, request: Command) -> Ending:
    return Ending(
        branch=result.target,
        icon="☑️",
        state="would be opened",
        how=how_applied(result.candidate),
        verdict=_verdict(result.verdict, "not run"),
        fact=" ".join(
            filter(
                None,
                (
                    "A candidate is ready.",
                    *_no_tests(result.verdict),
                    *describe_candidate(result.candidate),
                    _left_out(result.candidate),
                ),
            )
        ),
        consequence="This was a dry run: nothing was pushed and no pull request was opened.",
        remedy=f"Comment {code(request.onto(result.target, dry_run=False))} to open it.",
    )


def _left_out(candidate: Candidate | None) -> str:
    return describe_left_out(candidate.left_out) if candidate else ""


def _without_candidate(result: AlreadyApplied | NothingLeft | Failed | Cancelled, request: Command) -> Ending:
    match result:
        case NothingLeft():
            option, files = code("pick.leave_out"), list_paths(result.left_out)
            return Ending(
                branch=result.target,
                icon="⚪",
                state="nothing left to bring",
                fact=f"{option} leaves out all that the original changes: {files}.",
                consequence="Nothing was pushed and no pull request was opened.",
                remedy=f"If it belongs on the branch, a maintainer can change {option} in {code('backport.yaml')}.",
            )
        case Cancelled():
            fact = f"{text(result.by)} cancelled it before it was opened. Nothing was pushed."
            remedy = f"Comment {code(request.onto(result.target))} to request it again."
            return Ending(branch=result.target, icon="⏹️", state="cancelled", fact=fact, remedy=remedy)
        case AlreadyApplied():
            place = f" ({sha(result.commit)})" if result.commit and result.commit[:12] not in result.how else ""
            fact = f"The branch has it already: {prose(result.how.rstrip('.'))}{place}."
            return Ending(branch=result.target, icon="✔️", state="already applied", fact=fact)
        case Failed():
            fact, remedy = prose(result.message), prose(result.hint)
            return Ending(branch=result.target, icon="❌", state="failed", fact=fact, remedy=remedy)


def _no_tests(verdict: Verdict | None) -> list[str]:
    """Say why there is nothing to prove a change, if that is so."""
    return [prose(verdict.reason)] if verdict is not None and verdict.outcome is VerdictOutcome.NO_TESTS else []


def _verdict(verdict: Verdict | None, otherwise: str) -> str:
    return verdict_line(verdict) if verdict else otherwise


def _conflicted(result: Conflicted, request: Command, by_hand: str) -> Ending:
    conflict, draft = result.conflict, result.draft
    fact = (
        f"Cherry-picking {sha(conflict.commit)} onto {code(conflict.branch)} conflicts in "
        f"{count(len(conflict.files), 'file')}."
    )
    fact = " ".join(filter(None, (fact, describe_left_out(conflict.left_out))))
    if draft is not None:
        return Ending(
            branch=result.target,
            icon="❌",
            state="conflict, open as a draft",
            pull_request=reference(draft.number, draft.url),
            fact=fact,
            consequence="A draft holds the conflict, with its markers; its check stays red until none is left.",
            remedy=_conflict_remedy(result, request, "Resolve it there: the draft gives the commands."),
        )
    return Ending(
        branch=result.target,
        icon="❌",
        state="conflict",
        fact=fact,
        consequence=" ".join(filter(None, (prose(result.note), "Nothing was pushed and no pull request was opened."))),
        remedy=_conflict_remedy(result, request, by_hand),
    )


def _conflict_remedy(result: Conflicted, request: Command, by_hand: str) -> str:
    conflict = result.conflict
    if not conflict.prerequisites:
        return by_hand
    ask = code(request.onto(result.target, with_prerequisites=True))
    draft = " in a draft" if conflict.rest is Certainty.PROPOSED else ""
    forecast = after_prerequisites(conflict.prerequisites, conflict.rest)
    return f"{forecast} Comment {ask} to bring what is missing along{draft}. {by_hand}"


def _not_proven(result: NotProven, request: Command) -> Ending:
    verdict = result.verdict
    sentences = (meaning(verdict.outcome), prose(verdict.reason), *map(prose, verdict.notes), evidence(verdict))
    return Ending(
        branch=result.target,
        icon="⚠️",
        state="not proven",
        how=how_applied(result.candidate),
        verdict=_verdict(result.verdict, ""),
        fact=" ".join(filter(None, sentences)),
        consequence="Nothing was pushed and no pull request was opened.",
        remedy=_not_proven_remedy(verdict.outcome, result.target, request),
    )


def _not_proven_remedy(outcome: VerdictOutcome, branch: str, request: Command) -> str:
    unproven = code(request.onto(branch, prove=False))
    match outcome:
        case VerdictOutcome.PROVEN:
            return ""
        case VerdictOutcome.NOT_REPRODUCED:
            return f"If the branch should have the fix anyway, a maintainer can comment {unproven}."
        case VerdictOutcome.INCOMPLETE:
            companions = code(request.onto(branch, with_companions=True))
            return (
                f"Look at the failing cases. If a carried patch names what belongs with this fix, comment {companions}."
            )
        case VerdictOutcome.REGRESSED:
            return "Look at the failing cases, and finish it by hand on the branch."
        case VerdictOutcome.INCONCLUSIVE:
            retry = code(request.onto(branch))
            return f"Comment {retry} when the cause is gone. A maintainer can also comment {unproven}."
        case VerdictOutcome.NO_TESTS:
            key = code("prove.required: when-tests")
            return f"Here every backport needs a proof. With {key} this one opens. A maintainer can comment {unproven}."
        case _:
            assert_never(outcome)
