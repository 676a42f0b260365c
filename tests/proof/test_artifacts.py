"""A proof leaves a folder that people and scripts can read later, and nothing in it runs."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import pytest

from bot.models import CaseOutcome, CaseResult, Device, SuiteRun, Verdict, VerdictOutcome
from bot.proof.artifacts import write_evidence
from bot.proof.change import Change
from bot.proof.prove_trees import prove_trees
from bot.proof.verdict_json import SCHEMA

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
FIGURES = {"buffer": HOSTILE, "numel": "16", "needed": "256", "past_end": "240"}


class Tags(HTMLParser):
    """Collects the tags of a page and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def hostile_verdict() -> Verdict:
    case = CaseResult(name=f"t::a[{HOSTILE}]", outcome=CaseOutcome.FAILED, message=HOSTILE, figures=FIGURES)
    device = Device(kind="cpu", name=HOSTILE, arch=HOSTILE, versions={"torch": HOSTILE})
    run = SuiteRun(tree=HOSTILE, cases=(case,), device=device, seconds=1.0, commit="a" * 40)
    return Verdict(outcome=VerdictOutcome.REGRESSED, reason=HOSTILE, base=run, candidate=run, notes=(HOSTILE,))


def test_the_page_runs_and_loads_nothing_whatever_a_suite_reports(tmp_path: Path) -> None:
    write_evidence(tmp_path / "evidence", hostile_verdict(), {"it": hostile_verdict()})
    page = (tmp_path / "evidence" / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert {"script", "img", "link", "iframe"}.isdisjoint(tags.tags)
    assert not [name for name in tags.attributes if name.startswith("on") or name in ("src", "href")]
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "svg" in tags.tags


@pytest.mark.parametrize("of", [".", "it"], ids=["the whole", "one suite"])
def test_the_record_follows_its_schema(tmp_path: Path, of: str) -> None:
    write_evidence(tmp_path, hostile_verdict(), {"it": hostile_verdict()})
    jsonschema_rs.validate(json.loads(SCHEMA.read_text()), json.loads((tmp_path / of / "verdict.json").read_text()))


def test_both_reports_lie_beside_the_verdict(tmp_path: Path) -> None:
    test = "from widget import size\n\ndef test_size():\n    assert size() == 2\n"
    for name, value in (("base", 1), ("candidate", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "widget.py").write_text(f"def size():\n    return {value}\n")
    (tmp_path / "candidate" / "test_size.py").write_text(test)
    verdict = prove_trees(
        Change(
            tmp_path / "base",
            tmp_path / "candidate",
            None,
            changed_files=("widget.py", "test_size.py"),
            commits=("a" * 40, "b" * 40),
        ),
        device="cpu",
        evidence=tmp_path / "evidence",
    )
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    files = {str(path.relative_to(tmp_path / "evidence")) for path in (tmp_path / "evidence").rglob("*.*")}
    expected = {"verdict.json", "report.html", *(f"own-tests/{name}" for name in ("verdict.json", "base.xml"))}
    assert files == expected | {"own-tests/candidate.xml"}
    record = json.loads((tmp_path / "evidence" / "verdict.json").read_text())
    assert [record[name]["commit"] for name in ("base", "candidate")] == ["a" * 40, "b" * 40]


def test_each_number_of_a_table_stands_under_its_header(tmp_path: Path) -> None:
    write_evidence(tmp_path, hostile_verdict(), {"it": hostile_verdict()})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    tables = [
        re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        for table in re.findall(r'<table class="rows">(.*?)</table>', page, re.DOTALL)
    ]
    assert len(tables) == 2
    for header, row, *_ in tables:
        sides = [[' class="n"' in cell for cell in re.findall(r"<t[hd][^>]*>", line)] for line in (header, row)]
        assert sides[0] == sides[1]
    assert ".n{text-align:right" in page.replace(" ", "")


def test_a_folder_that_a_person_named_by_a_link_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    write_evidence(tmp_path / "link", hostile_verdict(), {"it": hostile_verdict()})
    assert (tmp_path / "folder/it/verdict.json").exists()


def test_a_link_among_the_evidence_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "folder").mkdir()
    for name in ("verdict.json", "report.html"):
        (tmp_path / "folder" / name).symlink_to(tmp_path / "secret")
    write_evidence(tmp_path / "folder", hostile_verdict(), {})
    assert (tmp_path / "secret").read_text() == "kept"
    assert not (tmp_path / "folder/verdict.json").is_symlink()
