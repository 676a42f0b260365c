"""What was resolved is shown to the reviewer, side by side, and called a proposal where it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from bot.models import Certainty, Method, Resolution
from bot.report.pull_request import render_body

if TYPE_CHECKING:
    from tests.report.conftest import Samples


def _resolution(certainty: Certainty, *, path: str = "lib/ring.py", ours: bytes | None = b"ours\n") -> Resolution:
    return Resolution(
        path=path,
        base=b"base\n",
        ours=ours,
        theirs=b"theirs\n",
        result=b"both\n",
        rung="remembered resolution",
        certainty=certainty,
        how="as abc resolved the same conflict",
    )


def _body(samples: Samples, *resolutions: Resolution) -> str:
    certainty = max((resolution.certainty for resolution in resolutions), key=list(Certainty).index)
    candidate = samples.candidate("release/1", method=Method.RESOLVED, certainty=certainty, resolutions=resolutions)
    return render_body(samples.original(), candidate, samples.proven(), repository="acme/ring", requester="mia")


@pytest.mark.parametrize(("certainty", "warned"), [(Certainty.PROPOSED, True), (Certainty.CERTAIN, False)])
def test_every_side_the_result_and_the_rung_are_shown(certainty: Certainty, warned: bool, samples: Samples) -> None:
    body = _body(samples, _resolution(certainty))
    assert ("> A part of this is a proposal." in body) is warned
    assert f"<summary>lib/ring.py: remembered resolution, {certainty.value}</summary>" in body
    assert "with the conflicts resolved" in body
    for title, text in (
        ("Before the original", "base"),
        ("On the branch", "ours"),
        ("In the original", "theirs"),
        ("The result", "both"),
    ):
        assert f"{title}:\n\n```text\n{text}\n```" in body


def test_a_side_without_the_file_is_told_from_an_empty_one(samples: Samples) -> None:
    assert "(there is no such file)" in _body(samples, _resolution(Certainty.PROPOSED, ours=None))
    assert "(nothing)" in _body(samples, _resolution(Certainty.PROPOSED, ours=b""))


def test_hostile_content_stays_inside_its_block(samples: Samples) -> None:
    hostile = _resolution(Certainty.PROPOSED, path="<img src=x>@acme", ours=b"```\n</details>\n@acme/team\n")
    html = MarkdownIt("commonmark").render(_body(samples, hostile))
    assert "<img" not in html
    assert '<code class="language-text">```\n&lt;/details&gt;\n@acme/team\n</code>' in html


def test_many_are_shown_in_part_and_counted(samples: Samples) -> None:
    body = _body(samples, *[_resolution(Certainty.PROPOSED)] * 25)
    assert body.count("The result") == 10
    assert "15 more places, in the commit itself" in body
