"""What a candidate needs that its branch lacks is told wherever the candidate is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import Certainty, Match, Opened, RelatedCommit, Resolution, WouldOpen
from bot.report.json_data import target_to_json
from bot.report.outcomes import describe
from bot.report.pull_request import render_body
from bot.report.terminal import render_explanations

if TYPE_CHECKING:
    from tests.report.conftest import Samples

FINDING = Match("lib/ring.py", 12, "missing-name", "`wide.grow` is not in lib/wide.py here; main has it")


def _opened(samples: Samples, *findings: Match) -> Opened:
    candidate = samples.candidate("release/1", findings=findings, certainty=Certainty.PROPOSED)
    return replace(samples.opened(), candidate=candidate)


def test_body_lists_the_places(samples: Samples) -> None:
    candidate = samples.candidate("release/1", findings=(FINDING,))
    body = render_body(samples.original(), candidate, samples.proven(), repository="acme/ring", requester="mia")
    assert "> It applies, but seems to need what `release/1` does not have." in body
    assert "- `lib/ring.py:12`: missing-name — `wide.grow` is not in lib/wide.py here; main has it" in body


def test_status_and_terminal_tell_the_first_places_and_count_the_rest(samples: Samples) -> None:
    result = _opened(samples, *(replace(FINDING, line=line) for line in range(1, 6)))
    fact = describe(result).fact
    assert "`lib/ring.py:3`" in fact
    assert "`lib/ring.py:4`" not in fact
    assert "2 more places" in fact
    assert "seems to need what this branch does not have" in render_explanations([result])
    candidate = _opened(samples, FINDING).candidate
    assert candidate is not None
    assert "lib/ring.py:1" in describe(WouldOpen(target="release/1", candidate=candidate)).fact


def test_a_hostile_name_in_a_finding_is_only_shown(samples: Samples) -> None:
    fact = describe(_opened(samples, replace(FINDING, file="@acme/team `x`", detail="@acme/team fixes #3"))).fact
    assert "@\u2060acme/team fixes #\u20603" in fact


def test_without_findings_nothing_is_said(samples: Samples) -> None:
    assert "seems to need" not in describe(_opened(samples)).fact
    assert describe(samples.opened()).fact == ""


def test_a_guess_says_that_it_is_one_and_what_else_came_along(samples: Samples) -> None:
    side = Resolution(
        path="lib/a|b.py",
        base=b"",
        ours=b"",
        theirs=b"",
        result=b"",
        rung="finer merge",
        certainty=Certainty.PROPOSED,
        how="merged by words",
    )
    earlier = RelatedCommit(sha=samples.merged, subject="Widen (#3)", author="Ann")
    candidate = samples.candidate(
        "release/1", certainty=Certainty.PROPOSED, resolutions=(side,), prerequisites=(earlier,)
    )
    ending = describe(samples.opened(candidate=candidate, pull_request=samples.backport(draft=True)))
    assert ending.how == "cherry-pick, exact, a proposal, with 1 earlier commit"
    assert "It is a proposal, which may be wrong: conflicts in `lib/a|b.py`" in ending.fact
    assert "It brings 1 earlier commit of main along: `fd3e11973b5f`" in ending.fact
    assert ending.remedy == "Review this before it is merged."


def test_json_has_them(samples: Samples) -> None:
    found = target_to_json(_opened(samples, FINDING))
    assert found["certainty"] == "proposed"
    assert found["findings"] == [{"file": "lib/ring.py", "line": 12, "rule": "missing-name", "detail": FINDING.detail}]
