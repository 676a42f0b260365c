"""What was resolved is shown to the reviewer, side by side, and called a proposal where it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def _body(samples: Samples, *resolutions: Resolution, **options: Any) -> str:
    certainty = max((resolution.certainty for resolution in resolutions), key=list(Certainty).index)
    candidate = samples.candidate("release/1", method=Method.RESOLVED, certainty=certainty, resolutions=resolutions)
    return render_body(
        samples.original(), candidate, samples.proven(), repository="acme/ring", requester="mia", **options
    )


def test_a_proposal_is_unfolded_above_how_it_was_applied_and_a_certain_one_is_folded_there(samples: Samples) -> None:
    body = _body(samples, _resolution(Certainty.CERTAIN, path="lib/sure.py"), _resolution(Certainty.PROPOSED))
    proven, review, how = (body.index(f"### {title}") for title in ("What was proven", "What to review", "How it was"))
    proposal, fold = body.index("`lib/ring.py`, proposed by"), body.index("<details><summary>lib/sure.py: remembered")
    assert proven < review < proposal < how < fold
    assert review < body.index("> A part of this is a proposal.") < proposal
    assert "with the conflicts resolved" in body


@pytest.mark.parametrize("certainty", Certainty)
def test_every_side_and_the_result_are_shown(certainty: Certainty, samples: Samples) -> None:
    body = _body(samples, _resolution(certainty))
    assert ("> A part of this is a proposal." in body) is (certainty is Certainty.PROPOSED)
    for title, text in (
        ("Before the original", "base"),
        ("On the branch", "ours"),
        ("In the original", "theirs"),
        ("The result", "both"),
    ):
        assert f"{title}:\n\n```text\n{text}\n```" in body


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"one\nboth\ntwo\n", ":2"),
        (b"both\n", ":1"),
        (b"both\nboth\n", ""),  # there twice: which one is meant cannot be told
        (b"neither\n", ""),
        (None, ""),
    ],
)
def test_a_place_has_the_lines_of_its_result_and_a_link_to_them(
    content: bytes | None, lines: str, samples: Samples
) -> None:
    proposal = _resolution(Certainty.PROPOSED, path="lib/a b.py")
    body = _body(samples, proposal, files={"lib/a b.py": content}, web_url="https://github.com/acme/ring")
    anchor = lines.replace(":", "#L") + lines.replace(":", "-L")
    url = f"https://github.com/acme/ring/blob/{samples.commit}/lib/a%20b.py{anchor}"
    assert f"[`lib/a b.py{lines}`](<{url}>), proposed by the strategy *remembered resolution*: as abc" in body


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
