"""One value of each kind that the report puts into words."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.models import (
    Affectedness,
    AlreadyApplied,
    Cancelled,
    Candidate,
    CaseOutcome,
    CaseResult,
    Conflict,
    Conflicted,
    ConflictFile,
    ConflictKind,
    DetectResult,
    Device,
    Failed,
    Fidelity,
    KnownFailureResult,
    Match,
    Method,
    NotAffected,
    NothingLeft,
    NotProven,
    Opened,
    PullRequest,
    Sha,
    StrategyResult,
    SuiteRun,
    TargetOutcome,
    Verdict,
    VerdictOutcome,
    WouldOpen,
)
from bot.report.pull_request import PatchNotes
from bot.text.markers import BackportKey, pull_request_marker

GOLDEN = Path(__file__).parent / "golden"
REGENERATE = "BACKPORT_BOT_GOLDEN"
MERGED, BASE, COMMIT = Sha("fd3e11973b5f" + "0" * 28), Sha("b" * 40), Sha("c" * 40)
FILE = "python/sglang/srt/layers/attention/aiter_backend.py"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the file of that name; BACKPORT_BOT_GOLDEN=1 writes the file instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get(REGENERATE):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} changed; {REGENERATE}=1 pytest writes it anew"

    return compare


@pytest.fixture
def samples() -> Samples:
    return Samples()


@dataclass(frozen=True)
class Samples:
    """Builds values that hang together: one original, its candidates, verdicts and endings."""

    merged: Sha = MERGED
    base: Sha = BASE
    commit: Sha = COMMIT
    device: Device = field(
        default_factory=lambda: Device(
            kind="cpu",
            name="Triton interpreter",
            arch="x86_64",
            versions={"torch": "2.13.0", "triton": "3.7.0"},
        )
    )

    def original(self, **changes: object) -> PullRequest:
        value = PullRequest(
            number=24587,
            title="[AMD][aiter] Fix cuda_graph_kv_indices OOB under page_size>1",
            body="",
            author="xiaobochen-amd",
            url="https://github.com/sgl-project/sglang/pull/24587",
            state="closed",
            base="main",
            head="fix-kv",
            head_sha=Sha("a" * 40),
            merged=True,
            merge_commit=self.merged,
        )
        return replace(value, **changes)  # type: ignore[arg-type]

    def backport(self, number: int = 7, *, draft: bool = False) -> PullRequest:
        url = f"https://github.com/sgl-project/sglang/pull/{number}"
        marker = pull_request_marker(
            BackportKey(repository="sgl-project/sglang", commit=self.merged, target="release/v0.5.12")
        )
        return self.original(
            number=number, body=marker, url=url, state="open", merged=False, merge_commit=None, draft=draft
        )

    def candidate(self, branch: str, *, carried: bool = False, **changes: object) -> Candidate:
        tried = StrategyResult("cherry-pick", not carried, "conflicts in 1 file" if carried else "applied cleanly")
        patch = StrategyResult("carried patch sglang-24587", won=True, detail="2 steps applied")
        value = Candidate(
            branch=branch,
            base_commit=self.base,
            commit=self.commit,
            commits=(self.commit,),
            method=Method.CARRIED_PATCH if carried else Method.CHERRY_PICK,
            fidelity=Fidelity.ADAPTED if carried else Fidelity.EXACT,
            files=(FILE,),
            rungs=(tried, patch) if carried else (tried,),
        )
        return replace(value, **changes)  # type: ignore[arg-type]

    def case(self, name: str, outcome: CaseOutcome, past_end: int | None = None, message: str = "") -> CaseResult:
        figures = {} if past_end is None else {"past_end": str(past_end)}
        return CaseResult(name=f"suite.{name}", outcome=outcome, figures=figures, message=message)

    def run(self, tree: str, *cases: CaseResult, problem: str = "") -> SuiteRun:
        return SuiteRun(tree=tree, cases=cases, device=None if problem else self.device, seconds=9.4, problem=problem)

    def proven(self) -> Verdict:
        fails, passes = CaseOutcome.FAILED, CaseOutcome.PASSED
        decode, verify = "test_replay::test_decode_stays_inside", "test_replay::test_verify_stays_inside"
        before = self.run(
            "base",
            self.case(f"{decode}[full-16]", fails, 240, "240 elements past the end"),
            self.case(f"{decode}[ragged-16]", fails, 49, "49 elements past the end"),
            self.case(f"{decode}[full-1]", passes, 0),
            self.case(f"{verify}[mla-16]", fails, 256, "256 elements past the end"),
            self.case("test_values::test_indices_are_right[16]", passes),
        )
        after = self.run(
            "candidate",
            self.case(f"{decode}[full-16]", passes, 0),
            self.case(f"{decode}[ragged-16]", passes, 0),
            self.case(f"{decode}[full-1]", passes, 0),
            self.case(f"{verify}[mla-16]", fails, 16, "16 elements past the end"),
            self.case("test_values::test_indices_are_right[16]", passes),
        )
        known = KnownFailureResult(
            f"suite.{verify}[mla-16]", "MLA verify lacks draft slack until #27485.", still_fails=True
        )
        return Verdict(
            outcome=VerdictOutcome.PROVEN,
            reason="2 cases failed on the base; all pass on the candidate.",
            base=before,
            candidate=after,
            known_failures=(known,),
        )

    def verdict(self, outcome: VerdictOutcome) -> Verdict:
        fails, passes = CaseOutcome.FAILED, CaseOutcome.PASSED
        name = "test_replay::test_decode_stays_inside[full-16]"
        if outcome is VerdictOutcome.PROVEN:
            return self.proven()
        if outcome is VerdictOutcome.INCONCLUSIVE:
            result = self.run("base", problem="stopped at its time limit of 900 s")
            return Verdict(outcome=outcome, reason="The base run did not finish.", base=result, candidate=result)
        if outcome is VerdictOutcome.NO_TESTS:
            result = SuiteRun(tree="base", cases=(), device=None, seconds=0.0)
            reason = "The change is documentation only (docs/a.md), which needs no tests."
            return Verdict(outcome=outcome, reason=reason, base=result, candidate=result)
        pair = {
            VerdictOutcome.NOT_REPRODUCED: (passes, passes),
            VerdictOutcome.INCOMPLETE: (fails, fails),
            VerdictOutcome.REGRESSED: (passes, fails),
        }[outcome]
        return Verdict(
            outcome=outcome,
            reason=f"The suite says {outcome.value}.",
            base=self.run("base", self.case(name, pair[0], 240 if pair[0] is fails else 0, "past the end")),
            candidate=self.run("candidate", self.case(name, pair[1], 8 if pair[1] is fails else 0, "past the end")),
        )

    def opened(self, branch: str = "release/v0.5.12", **changes: object) -> Opened:
        candidate, verdict = self.candidate(branch), self.proven()
        value = Opened(target=branch, pull_request=self.backport(), candidate=candidate, verdict=verdict)
        return replace(value, **changes)  # type: ignore[arg-type]

    def not_affected(self, branch: str = "release/v0.5.9") -> NotAffected:
        reason = "The buffer is sized by max_context_len, one entry for each token."
        seen = Match(FILE, 769, "token-sized-buffer", "max_bs * max_context_len")
        check = DetectResult(patch="sglang-24587", status=Affectedness.NOT_AFFECTED, reason=reason, evidence=(seen,))
        return NotAffected(target=branch, check=check)

    def conflicted(self, branch: str = "release/v0.5.11") -> Conflicted:
        files = (
            ConflictFile(FILE, ConflictKind.CONTENT, 4),
            ConflictFile("docs/a b.md", ConflictKind.MODIFY_DELETE, 0),
        )
        rungs = (StrategyResult("cherry-pick", won=False, detail="conflicts in 2 files"),)
        conflict = Conflict(branch=branch, base_commit=self.base, commit=self.merged, files=files, rungs=rungs)
        return Conflicted(target=branch, conflict=conflict)

    def not_proven(self, outcome: VerdictOutcome, branch: str = "release/v0.5.10") -> NotProven:
        candidate = self.candidate(branch, carried=True)
        return NotProven(target=branch, candidate=candidate, verdict=self.verdict(outcome))

    def every_ending(self) -> tuple[TargetOutcome, ...]:
        carried = self.candidate("release/v0.5.11", carried=True)
        return (
            self.opened(),
            self.opened("release/v0.5.11", candidate=carried, pull_request=self.backport(8)),
            self.opened("release/v0.5.8", created=False, candidate=None, verdict=None),
            self.opened("release/v0.5.7", verdict=None, pull_request=self.backport(9, draft=True)),
            self.opened(
                "release/v0.5.1", verdict=self.verdict(VerdictOutcome.NO_TESTS), pull_request=self.backport(10)
            ),
            self.not_affected(),
            AlreadyApplied(
                target="release/v0.5.13",
                how=f"{self.commit[:12]} on the branch was cherry-picked from it",
                commit=self.commit,
            ),
            NothingLeft(target="release/v0.5.2", left_out=(".github/workflows/test.yml",)),
            self.conflicted("release/v0.5.6"),
            *(
                self.not_proven(outcome, f"release/{outcome.value}")
                for outcome in VerdictOutcome
                if outcome is not VerdictOutcome.PROVEN
            ),
            Failed(
                target="release/v0.5.5",
                message="The push of `backport/24587-to-release-v0.5.5` was refused, so nothing was opened.",
                hint="Give the bot's token the right to push, then post the same comment again.",
            ),
            Cancelled(target="release/v0.5.3", by="amd-maintainer"),
            WouldOpen(target="release/v0.5.4", candidate=self.candidate("release/v0.5.4"), verdict=self.proven()),
        )

    def notes(self) -> PatchNotes:
        return PatchNotes(
            name="sglang-24587",
            title="[AMD][aiter] Fix cuda_graph_kv_indices OOB under page_size>1",
            url="https://github.com/sgl-project/sglang/pull/24587",
            risks=("The token buffer grows by the factor page_size: 128 MiB at batch 256 and context 131072.",),
            open_questions=("What was answered about the `max_kv_len` lines is not publicly retrievable.",),
            follow_ups=(Match(FILE, 2561, "max-kv-len", "page_table.shape[1] * self.page_size"),),
            companions=("sglang-27485: MLA verify needs draft slack",),
        )
