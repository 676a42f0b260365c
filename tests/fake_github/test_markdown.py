"""Markdown as GitHub shows it; what could act is cut away."""

from __future__ import annotations

import pytest

from bot.fake_github.pages.markdown import render


def render_page(text: str) -> str:
    """Render with #7 and one commit as the only known references."""
    addresses = {("number", "7"): "/pull/7", ("sha", "a" * 40): "/commit/a"}
    return render(text, lambda kind, value: addresses.get((kind, value)))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("see #7.", '>#7</a>.'),
        ("a" * 40, f'<a href="/commit/a" rel="nofollow noopener">{"a" * 10}</a>'),
        ("http://example.org/x.", '>http://example.org/x</a>.'),
        ("| a |\n|--:|\n| 1 |", '<td class="right">1</td>'),
        ("<details><summary>s</summary>\n\nb\n\n</details>", "<details><summary>s</summary>\n<p>b</p>"),
        ("> [!NOTE]\n> text", '<blockquote class="note">'),
        ("- [x] done", "<li>☑ done</li>"),
        ("```diff\n+a < b\n```", '<span class="added">+a &lt; b</span>'),
        ("a<br>b<sub>c</sub>", "a<br>b<sub>c</sub>"),
    ],
)  # fmt: skip
def test_github_markdown_is_shown(text: str, part: str) -> None:
    assert part in render_page(text)


@pytest.mark.parametrize(
    "text",
    ["`#7`", "#8", "x#7", "[#7](http://a/)", "```\n#7\n```", "&#7;"],
)
def test_what_is_no_reference_is_no_link(text: str) -> None:
    assert "/pull/7" not in render_page(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='JaVaScRiPt:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "<svg><script>alert(1)</script></svg>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
        "<style>*{display:none}</style>",
        "<div style='position:fixed'>x</div>",
        "<span class='state merged'>Merged</span>",
        "<iframe src=//evil></iframe>",
        "<details ontoggle=alert(1) open>",
        "```diff\n+<script>alert(1)</script>\n```",
        "```<script>alert(1)</script>\nx\n```",
    ],
)
def test_nothing_that_acts_comes_through(text: str) -> None:
    html = render_page(text).lower()
    for word in (
        "<script",
        "onerror=alert",
        "ontoggle=",
        'href="javascript',
        "<style",
        "style=",
        "<iframe",
        "<svg",
        "<math",
        "state",
    ):
        assert word not in html


def test_unclosed_fold_stays_inside_its_comment() -> None:
    assert render_page("<details><summary>open\n\ntext").count("</details>") == 1
    assert "</article>" not in render_page("</div></article></main>")
