"""How a target branch ended → the words for it: fact · consequence · remedy.

Owns one description per TargetOutcome, used by the status comment, the check run and the terminal alike, so that they
never tell different stories. The words are Markdown in which foreign text is inert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.commands.parser import Command
from bot.commands.verbs import Verb
from bot.models import (
    AlreadyApplied,
    Cancelled,
    Certainty,
    Conflicted,
    Failed,
    NotAffected,
    NotProven,
    Opened,
    PullRequest,
    Status,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
    WouldOpen,
)
from bot.report.candidates import describe_candidate, how_applied
from bot.report.conflict_text import after_prerequisites
from bot.report.verdict import evidence, headline, meaning
from bot.text.markdown import code, count, prose, reference, sha, text
from bot.text.markers import parse_pull_request_marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One target branch for a reader. `consequence` and `remedy` are empty where nothing is left to say or do."""

    branch: str
    icon: str
    state: str
    how: str = ""
    verdict: str = ""
    pull_request: str = ""
    fact: str = ""
    consequence: str = ""
    remedy: str = ""


_BARE = Command(verb=Verb.BACKPORT)


COMMANDS_BELOW = "Finish it by hand, with the commands below."
_COMMANDS_ELSEWHERE = "Finish it by hand: the status comment on the original pull request gives the commands."


def describe(result: TargetOutcome, asked: Command = _BARE, *, by_hand: str = _COMMANDS_ELSEWHERE) -> Ending:
    """Put a target branch's ending into words.

    The commands in them can be pasted as they are: they keep the options and the commits of what was `asked`. `by_hand`
    says where the commands are that finish a conflict by hand.
    """
    match result:
        case Opened():
            return _opened(result)
        case WouldOpen():
            return _would_open(result, asked)
        case Conflicted():
            return _conflicted(result, asked, by_hand)
        case NotProven():
            return _not_proven(result, asked)
        case _:
            return _plain(result, asked)


def summary(endings: Sequence[TargetOutcome]) -> str:
    """Count the endings in one line, e.g. "3 pull requests opened, 1 branch not affected"."""
    said = (
        (_opened_now(endings), "pull request", "opened"),
        (_opened_before(endings), "pull request", "already open"),
        (_with(endings, Status.WOULD_OPEN), "pull request", "would be opened"),
        (_with(endings, Status.NOT_AFFECTED), "branch", "not affected"),
        (_with(endings, Status.ALREADY_APPLIED), "branch", "up to date already"),
        (_with(endings, Status.CONFLICT), "branch", "in conflict"),
        (_with(endings, Status.NOT_PROVEN), "branch", "not proven"),
        (_with(endings, Status.FAILED), "branch", "failed"),
        (_with(endings, Status.CANCELLED), "branch", "cancelled"),
    )
    return ", ".join(f"{count(number, noun)} {state}" for number, noun, state in said if number) or "nothing to do"


def _opened(result: Opened) -> Ending:
    draft = " as a draft" if result.pull_request.draft else ""
    if not result.created:
        return Ending(
            branch=result.branch,
            icon="✅",
            state="already open",
            verdict="see the pull request",
            pull_request=reference(result.pull_request.number, result.pull_request.url),
            fact=_opened_before_by(result.pull_request),
        )
    candidate = result.candidate
    facts = describe_candidate(candidate) if candidate else []
    remedy = "Review this before it is merged." if facts else ""
    return Ending(
        branch=result.branch,
        icon="✅",
        state=f"opened{draft}",
        how=how_applied(candidate) if candidate else "",
        verdict=_verdict(result.verdict, "not run: unproven"),
        pull_request=reference(result.pull_request.number, result.pull_request.url),
        fact=" ".join([*facts, *map(prose, result.notes)]),
        remedy=remedy,
    )


def _opened_before_by(pull_request: PullRequest) -> str:
    if parse_pull_request_marker(pull_request.body) is None:
        return f"{text(pull_request.author)} opened it; nothing was pushed this time."
    return "An earlier request opened it; nothing was pushed this time."


def _would_open(result: WouldOpen, asked: Command) -> Ending:
    return Ending(
        branch=result.branch,
        icon="☑️",
        state="would be opened",
        how=how_applied(result.candidate),
        verdict=_verdict(result.verdict, "not run"),
        fact=" ".join(["A candidate is ready.", *describe_candidate(result.candidate)]),
        consequence="This was a dry run: nothing was pushed and no pull request was opened.",
        remedy=f"Comment {code(asked.onto(result.branch, dry_run=False))} to have it.",
    )


def _plain(result: NotAffected | AlreadyApplied | Failed | Cancelled, asked: Command) -> Ending:
    match result:
        case Cancelled():
            fact = f"{text(result.by)} cancelled it before it was opened. Nothing was pushed."
            remedy = f"Comment {code(asked.onto(result.branch))} to have it anyway."
            return Ending(branch=result.branch, icon="⏹️", state="cancelled", fact=fact, remedy=remedy)
        case NotAffected():
            return Ending(branch=result.branch, icon="⚪", state="not affected", fact=prose(result.check.reason))
        case AlreadyApplied():
            place = f" ({sha(result.commit)})" if result.commit and result.commit[:12] not in result.how else ""
            fact = f"The branch has it already: {prose(result.how.rstrip('.'))}{place}."
            return Ending(branch=result.branch, icon="✔️", state="already applied", fact=fact)
        case Failed():
            fact, remedy = prose(result.message), prose(result.hint)
            return Ending(branch=result.branch, icon="❌", state="failed", fact=fact, remedy=remedy)


def _verdict(verdict: Verdict | None, otherwise: str) -> str:
    return f"{verdict.outcome.value}: {headline(verdict)}" if verdict else otherwise


def _conflicted(result: Conflicted, asked: Command, by_hand: str) -> Ending:
    conflict, draft = result.conflict, result.draft
    fact = (
        f"Cherry-picking {sha(conflict.commit)} onto {code(conflict.branch)} conflicts in "
        f"{count(len(conflict.files), 'file')}."
    )
    if draft is not None:
        return Ending(
            branch=result.branch,
            icon="❌",
            state="conflict, open as a draft",
            pull_request=reference(draft.number, draft.url),
            fact=fact,
            consequence="A draft holds the conflict, with its markers; its check stays red until none is left.",
            remedy=_conflict_remedy(result, asked, "Resolve it there: the draft gives the commands."),
        )
    return Ending(
        branch=result.branch,
        icon="❌",
        state="conflict",
        fact=fact,
        consequence=" ".join(filter(None, (prose(result.note), "Nothing was pushed and no pull request was opened."))),
        remedy=_conflict_remedy(result, asked, by_hand),
    )


def _conflict_remedy(result: Conflicted, asked: Command, by_hand: str) -> str:
    conflict = result.conflict
    if not conflict.prerequisites:
        return by_hand
    ask = code(asked.onto(result.branch, with_prerequisites=True))
    draft = " in a draft" if conflict.rest is Certainty.PROPOSED else ""
    promised = after_prerequisites(conflict.prerequisites, conflict.rest)
    return f"{promised} Comment {ask} to bring what is missing along{draft}. {by_hand}"


_REMEDY = {
    VerdictOutcome.PROVEN: "",
    VerdictOutcome.NOT_REPRODUCED: "If the branch should have the fix anyway, a maintainer can comment {no_prove}.",
    VerdictOutcome.INCOMPLETE: "Look at the failing cases. Where a carried patch names what belongs with this fix, "
    "comment {companions}.",
    VerdictOutcome.REGRESSED: "Look at the failing cases, and finish it by hand on the branch.",
    VerdictOutcome.INCONCLUSIVE: "Comment {again} when the cause is gone, or {no_prove} as a maintainer.",
}


def _not_proven(result: NotProven, asked: Command) -> Ending:
    ask = asked.onto(result.branch)
    outcome = result.verdict.outcome
    said = (meaning(outcome), prose(result.verdict.reason), *map(prose, result.verdict.notes), evidence(result.verdict))
    remedy = _REMEDY[outcome].format(
        again=code(ask),
        no_prove=code(ask.onto(result.branch, prove=False)),
        companions=code(ask.onto(result.branch, with_companions=True)),
    )
    return Ending(
        branch=result.branch,
        icon="⚠️",
        state="not proven",
        how=how_applied(result.candidate),
        verdict=_verdict(result.verdict, ""),
        fact=" ".join(filter(None, said)),
        consequence="Nothing was pushed and no pull request was opened.",
        remedy=remedy,
    )


def _with(endings: Sequence[TargetOutcome], status: Status) -> int:
    return sum(result.status is status for result in endings)


def _opened_now(endings: Sequence[TargetOutcome]) -> int:
    return sum(isinstance(result, Opened) and result.created for result in endings)


def _opened_before(endings: Sequence[TargetOutcome]) -> int:
    return sum(isinstance(result, Opened) and not result.created for result in endings)
