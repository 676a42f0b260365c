"""The pages that the bot writes are readable in a real browser: on a narrow screen and a wide one, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from bot.environment.trace import Span, Trace
from bot.models import Sha
from bot.proof.buffer_picture import render_buffers
from bot.rehearse.past_backports import Pair, PastBackports
from bot.rehearse.rehearsal import Rehearsal
from bot.rehearse.replay import ReplayOutcome, ReplayResult
from bot.rehearse.summary import summarize
from bot.report import rehearsal_page, sync_page, trace_page, verdict_page
from tests.report.conftest import Samples
from tests.sync.states import branch, every_state, survey

LONG = "release/with-a-name-that-is-longer-than-a-telephone-is-wide"
# Text is readable from 11 pixels on, and with the contrast that WCAG 2.2 asks for (4.5, https://www.w3.org/TR/WCAG22/
# 1.4.3). The range of a text node is measured, as an SVG scales its font with itself.
CHECK = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a)); };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                       return .2126 * r + .7152 * g + .0722 * b; };
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  const behind = e => { const chain = [];
                        for (; e; e = e.parentElement) chain.push(parse(getComputedStyle(e).backgroundColor));
                        return chain.reduceRight((below, top) => over(top, below), canvas); };
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement, range = document.createRange();
    if (!node.data.trim() || ['STYLE', 'style', 'title'].includes(parent.tagName)) continue;
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box) continue;
    const style = getComputedStyle(parent), back = behind(parent);
    const ink = parent instanceof SVGElement ? style.fill : style.color;
    const [one, two] = [light(over(parse(ink), back)), light(back)];
    const contrast = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
    if (box.height < 11) faults.push(`${box.height.toFixed(1)} pixels high: ${node.data}`);
    if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(1)}: ${node.data}`);
  }
  return faults;
}"""


def _rehearsal() -> str:
    pairs = [
        Pair(1_700_000_000, Sha("a" * 40), Sha("b" * 40), Sha("c" * 40), name, "named")
        for name in (LONG, "release/1.0", "release/2.0")
    ]
    replays = (
        ReplayResult(pair=pairs[0], ending=ReplayOutcome.CLEAN, rung="cherry-pick", identical=True),
        ReplayResult(pair=pairs[1], ending=ReplayOutcome.CONFLICT, files=("src/" + "deep/" * 20 + "file.py",)),
        ReplayResult(
            pair=pairs[2], ending=ReplayOutcome.RESOLVABLE, rung="finer merge", differs=("a.py",), difference="-a\n+b\n"
        ),
    )
    rehearsal = Rehearsal(
        "acme/widget", PastBackports(tuple(pairs), {}, (LONG, "release/1.0", "release/2.0")), replays, 6.2
    )
    return rehearsal_page.render_page(rehearsal, summarize(rehearsal))


def _trace() -> str:
    run = Span("stage plan", "", {}, start=0, end=4_000_000_000)
    fetch = Span("fetch", run.id, {"bytes": 1_500_000, "what": "--depth=2"}, start=1_000_000_000, end=2_000_000_000)
    return trace_page.render_trace(Trace(spans=[run, fetch]))


def _verdict() -> str:
    verdict = Samples().proven()
    return verdict_page.render_page(verdict, picture=render_buffers(verdict))


PAGES: dict[str, Callable[[], str]] = {
    "rehearsal": _rehearsal,
    "sync": lambda: sync_page.render_page(survey(every_state(), branch(name=LONG))),
    "verdict": _verdict,
    "trace": _trace,
}


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_wide_as_the_screen_and_its_text_is_readable(
    browser: Browser, tmp_path: Path, name: str, scheme: Literal["light", "dark"], width: int
) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGES[name](), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.locator("h1").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CHECK) == []
    finally:
        context.close()
