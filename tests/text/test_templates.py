"""Templates that a configuration puts in place of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.config import Templates
from bot.models import MergeMethod, TargetPlan
from bot.report import check_run, conflict, pull_request, replies, status_comment, sync_issue
from bot.text.markers import status_marker
from bot.text.templates import VALUES, render, template_problem
from tests.sync.states import every_state, survey

if TYPE_CHECKING:
    from tests.report.conftest import Samples


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, samples: Samples) -> dict[str, set[str]]:
    """Return the names that each replaceable template was really given."""
    seen: dict[str, set[str]] = {}

    def spy(name: str, template: str | None = None, /, **values: object) -> str:
        seen[name] = set(values)
        return render(name, template, **values)

    for module in (status_comment, pull_request, conflict, check_run, replies, sync_issue):
        monkeypatch.setattr(module, "render", spy)
    view = status_comment.StatusView(marker=status_marker("k"), original=samples.original(), requester="x", targets=())
    status_comment.render_status(view)
    pull_request.render_body(samples.original(), samples.candidate("a"), None, repository="o/r", requester="x")
    check_run.render_proof_check(samples.proven())
    replies.render_help()
    held = samples.conflicted("a").conflict
    plan = TargetPlan(
        branch="a",
        base_commit=samples.base,
        backport_branch="b",
        commits=(samples.merged,),
        merge_method=MergeMethod.SQUASH,
    )
    conflict.render_conflict_body(
        samples.original(), plan, held, samples.candidate("a"), repository="o/r", requester="x"
    )
    state = every_state()
    sync_issue.render_issue(state, survey(state))
    sync_issue.render_summary(survey(state))
    return seen


def test_the_values_promised_are_the_values_given(given: dict[str, set[str]]) -> None:
    assert given == {name: set(values) for name, values in VALUES.items()}
    assert set(VALUES) == set(Templates.model_fields)


@pytest.mark.parametrize("name", VALUES)
def test_the_built_in_template_would_pass_as_a_replacement(name: str) -> None:
    source = Path(status_comment.__file__).parent / "templates" / f"{name}.md.j2"
    assert template_problem(name, source.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    "template",
    [
        "{{ original.nothing }}",
        "{{ rows[99].branch }}",
        "{{ 1 // 0 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ original.title.append(1) }}",
        "{% include 'x' %}",
    ],
)
def test_a_template_that_fails_tells_the_result_all_the_same(samples: Samples, template: str) -> None:
    ending = samples.not_affected()
    view = status_comment.StatusView(
        marker=status_marker("k"), original=samples.original(), requester="x", targets=(ending,)
    )
    rendered = status_comment.render_status(view, template=template)
    assert "not affected" in rendered
    assert "`templates.status` in backport.yaml cannot be rendered" in rendered
