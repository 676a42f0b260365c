"""Words what the pages show of a state: in a word or two, with the class that colours it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.config.devices import KINDS
from bot.models import Status, VerdictOutcome
from bot.pipeline.run import Step
from bot.server.pages.run_queries import JobState, RunState
from bot.server.proof_queues import LOCAL, REMOTE
from bot.server.request_rows import STEPS
from bot.text.markdown import count

STEP_NAMES = {Step.PICK: "pick", Step.PROVE: "prove", Step.PUBLISH: "publish"}
_UNDER_WAY = {Step.PICK: "picking", Step.PROVE: "proving", Step.PUBLISH: "publishing"}
_QUEUES = {
    STEPS: "steps",
    LOCAL: "proofs on this machine",
    **{f"{LOCAL}-{kind}": f"proofs on this machine ({kind})" for kind in KINDS},
    REMOTE: "proofs in GitHub Actions",
}
_ENDINGS = {
    Status.OPENED: ("opened", "good"),
    Status.NOT_AFFECTED: ("not affected", "quiet"),
    Status.ALREADY_APPLIED: ("on the branch already", "good"),
    Status.NOTHING_LEFT: ("nothing left to bring", "quiet"),
    Status.CONFLICT: ("conflict", "bad"),
    Status.NOT_PROVEN: ("not proven", "bad"),
    Status.FAILED: ("failed", "bad"),
    Status.WOULD_OPEN: ("would be opened", "good"),
    Status.CANCELLED: ("cancelled", "quiet"),
}
# A member that is missing above is an error when this module is imported.
ENDINGS = {status.value: _ENDINGS[status] for status in Status}
_PROOFS = {
    VerdictOutcome.PROVEN: ("proven", "good"),
    VerdictOutcome.NOT_REPRODUCED: ("fault not reproduced", "warn"),
    VerdictOutcome.INCOMPLETE: ("fix is incomplete", "bad"),
    VerdictOutcome.REGRESSED: ("regressed", "bad"),
    VerdictOutcome.INCONCLUSIVE: ("inconclusive", "warn"),
    VerdictOutcome.NO_TESTS: ("no tests", "quiet"),
}
PROOFS = {outcome.value: _PROOFS[outcome] for outcome in VerdictOutcome}


@dataclass(frozen=True, slots=True)
class Chip:
    """A state in a few words. `detail` says more, and may be empty."""

    text: str
    kind: str
    detail: str = ""


def state_chip(run: RunState) -> Chip:
    """Word the state of a target branch."""
    if run.step is None:
        return Chip(*ENDINGS.get(run.ending or "", ("ended", "quiet")))
    step = Step(run.step)
    again = f"; {count(run.rounds, 'earlier round')}, as the branch moved" if run.rounds else ""
    if run.job is None:
        return Chip(f"waits to {STEP_NAMES[step]}", "wait", f"after another branch of the request{again}")
    if run.job.is_running:
        return Chip(_UNDER_WAY[step], "busy", again.removeprefix("; "))
    return Chip(f"waits to {STEP_NAMES[step]}", "wait", _waiting(run.job) + again)


def began_at(run: RunState) -> datetime:
    """Return since when a target branch is in its state."""
    return run.job.began_at if run.job is not None and run.job.began_at is not None else run.since


def _waiting(job: JobState) -> str:
    if job.at is not None and job.at > datetime.now(UTC):
        return f"something outside did not answer; again at {job.at.astimezone(UTC):%H:%M:%S} UTC"
    return f"place {job.place} of {job.waiting} in the queue for {_QUEUES.get(job.queue, job.queue)}"


def age(moment: datetime, now: datetime | None = None) -> str:
    """Say how long ago a moment was, in one unit."""
    passed = (now or datetime.now(UTC)) - moment
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if passed >= length:
            return count(passed // length, unit)
    return count(max(0, int(passed.total_seconds())), "second")


def read_number(text: str | None) -> int | None:
    """Return the number that stands in an address; None for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else None
