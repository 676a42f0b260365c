"""The picture shows what was measured and nothing else."""

from __future__ import annotations

from xml.etree import ElementTree

from bot.models import CaseOutcome, CaseResult, Device, SuiteRun, Verdict, VerdictOutcome
from bot.proof.buffer_picture import render_buffers

SVG = "{http://www.w3.org/2000/svg}"
CPU = Device(kind="cpu", name="Triton interpreter", arch="x86_64")


def case(name: str, numel: int, needed_size: int, past_end: int) -> CaseResult:
    """Make a case that measured one buffer."""
    figures = {"buffer": "kv", "numel": str(numel), "needed": str(needed_size), "past_end": str(past_end)}
    return CaseResult(name=name, outcome=CaseOutcome.PASSED, figures=figures)


def verdict(base: list[CaseResult], candidate: list[CaseResult]) -> Verdict:
    """Make a verdict of two runs."""
    runs = [
        SuiteRun(tree=tree, cases=tuple(cases), device=CPU, seconds=1.0)
        for tree, cases in (("base", base), ("candidate", candidate))
    ]
    return Verdict(outcome=VerdictOutcome.PROVEN, reason="", base=runs[0], candidate=runs[1])


def bars(svg: str, style: str) -> list[float]:
    """Widths of the bars of one style."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    return [float(rect.get("width", "0")) for rect in root.iter(f"{SVG}rect") if rect.get("class") == style]


def test_the_part_past_the_end_is_drawn_to_scale() -> None:
    svg = render_buffers(verdict([case("t::a", 16, 256, 240)], [case("t::a", 256, 256, 0)]))
    buffers, outside = bars(svg, "buffer"), bars(svg, "outside")
    assert len(outside) == 1
    assert abs(outside[0] / buffers[0] - 240 / 16) < 0.1
    assert abs(buffers[1] / buffers[0] - 256 / 16) < 0.1
    assert "up to 240 elements past the end of kv (16 elements)" in svg


def test_the_worst_cases_are_kept() -> None:
    base = [case(f"t::{number:02}", 16, 16 + number, number) for number in range(30)]
    svg = render_buffers(verdict(base, base), limit=3)
    assert [name in svg for name in ("t::29", "t::28", "t::27", "t::26")] == [True, True, True, False]


def test_hostile_names_stay_text() -> None:
    svg = render_buffers(verdict([case("t::<script>&", 1, 2, 1)], [case("t::<script>&", 2, 2, 0)]))
    assert "<script>" not in svg
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"  # noqa: S314 - our own drawing


def test_cases_without_figures_draw_nothing() -> None:
    case_without_figures = CaseResult(name="t::a", outcome=CaseOutcome.PASSED, figures={"numel": "many"})
    assert render_buffers(verdict([case_without_figures], [case_without_figures])) == ""
