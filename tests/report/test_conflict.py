"""The draft that holds a conflict, its check run, and the word to whoever marks it ready too early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import Certainty, Match, MergeMethod, RelatedCommit, TargetPlan
from bot.report.conflict import render_conflict_body, render_conflict_check, render_sent_back
from bot.report.json_data import target_to_json
from bot.report.outcomes import describe
from bot.text.markers import is_conflict, parse_pull_request_marker

if TYPE_CHECKING:
    from tests.report.conftest import Samples

LEFT = tuple(Match(f"src/a`{number}.py", number, "marker") for number in range(1, 24))


def test_body_of_a_draft_with_a_conflict(samples: Samples, golden: Callable[[str, str], None]) -> None:
    conflict = samples.conflicted("release/v0.5.11").conflict
    plan = TargetPlan(
        branch=conflict.branch,
        base_commit=samples.base,
        backport_branch="backport/24587-to-release-v0.5.11",
        commits=(samples.merged,),
        merge_method=MergeMethod.SQUASH,
    )
    text = render_conflict_body(
        samples.original(title="Fixes #1, @everyone <b>"),
        plan,
        conflict,
        samples.candidate(conflict.branch),
        repository="sgl-project/sglang",
        requester="amd-maintainer",
    )
    golden("pull_request_conflict.md", text)
    assert is_conflict(text)
    key = parse_pull_request_marker(text)
    assert key is not None
    assert key.commit == samples.merged


def test_a_draft_says_what_the_configuration_says_of_drafts(samples: Samples) -> None:
    conflict = samples.conflicted("release/v0.5.11").conflict
    plan = TargetPlan(
        branch=conflict.branch,
        base_commit=samples.base,
        backport_branch="backport/1",
        commits=(samples.merged,),
        merge_method=MergeMethod.SQUASH,
    )
    candidate = samples.candidate(conflict.branch)
    note = "`pr-gate.yml` fails on drafts."
    text = render_conflict_body(
        samples.original(), plan, conflict, candidate, repository="o/r", requester="mia", draft_note=note
    )
    assert f"\n{note}\n" in text.replace("\\", "")


def test_the_check_names_places_while_markers_are_left(golden: Callable[[str, str], None]) -> None:
    red, green = render_conflict_check(LEFT), render_conflict_check(())
    assert (red.conclusion, green.conclusion) == ("failure", "success")
    assert red.name == green.name
    texts = (f"{each.conclusion}: {each.title}\n\n{each.summary}\n" for each in (red, green))
    golden("check_conflict.md", "\n".join(texts))


def test_marked_ready_too_early_is_answered_with_the_reason(golden: Callable[[str, str], None]) -> None:
    golden("answer_sent_back.md", render_sent_back(LEFT[:2]))


@pytest.mark.parametrize(
    ("rest", "promise", "word"),
    [
        (None, "It applies after 1 earlier commit of main: ", "applies"),
        (Certainty.CERTAIN, "It does not apply as it is, but what conflicts can be resolved after 1 ", "certain"),
        (Certainty.PROPOSED, "It does not apply as it is, but there is a proposal for what still ", "proposed"),
    ],
)
def test_no_more_is_promised_after_prerequisites_than_a_trial_showed(
    samples: Samples, rest: Certainty | None, promise: str, word: str
) -> None:
    conflicted = samples.conflicted()
    needed = (RelatedCommit(samples.merged, "Size <b> it", "ann"),)
    value = replace(conflicted, conflict=replace(conflicted.conflict, prerequisites=needed, rest=rest))
    remedy = describe(value).remedy
    assert remedy.startswith(promise)
    assert ("along in a draft." in remedy) == (rest is Certainty.PROPOSED)
    assert target_to_json(value)["after_prerequisites"] == word
    assert target_to_json(conflicted)["after_prerequisites"] is None


def test_a_part_is_called_a_part(samples: Samples) -> None:
    conflicted = samples.conflicted()
    needed = (RelatedCommit(samples.merged, "Tidy up", "ann", paths=("a`b", "c")),)
    conflict = replace(conflicted.conflict, prerequisites=needed, rest=Certainty.PROPOSED)
    value = replace(conflicted, conflict=conflict)
    remedy = describe(value).remedy
    assert remedy.startswith("It applies, with only a part of what they change, after 1 earlier commit of main: ")
    assert ", only what it changes in ``a`b``, `c`. Comment" in remedy
    assert "along in a draft." in remedy
