"""How fast and how right a scan is, on a repository of yours with a long history.

    BENCH_REPO=path/to/clone BENCH_MAIN=devel BENCH_BRANCHES='stable-*' BENCH_PAIRS=pairs.jsonl make bench

BENCH_PAIRS is a file with one JSON object a line for each past backport that is known: `X` the original, `B` the
backport (object names), `branch`, and `bdate`, when B was committed (seconds since the epoch). Without it only the time
is measured.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from bot.config import parse_config
from bot.git.repository import Repository
from bot.history.scan_branches import Scan, scan
from bot.history.store import HistoryStore
from bot.models import Sha
from bot.pick.context import PickContext
from bot.sync.survey import SyncContext, SyncReport, survey

pytestmark = pytest.mark.skipif("BENCH_REPO" not in os.environ, reason="BENCH_REPO names no repository")
_NEW = 100
_DATES = 30


@pytest.fixture(scope="module")
def clone() -> Iterator[Repository]:
    with Repository.open(Path(os.environ["BENCH_REPO"])) as opened:
        yield opened


@pytest.fixture(scope="module")
def tips(clone: Repository) -> Mapping[str, Sha]:
    """Return the main branch first, then the stable ones."""
    branches, main = clone.local_branches(), _main(clone)
    stable = {name: tip for name, tip in branches.items() if fnmatchcase(name, os.environ["BENCH_BRANCHES"])}
    return {main: branches[main], **stable}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench") / "history.sqlite"


def test_the_first_look_takes_half_a_minute_at_most(clone: Repository, tips: Mapping[str, Sha], file: Path) -> None:
    report, seconds = _survey(clone, tips, file)
    states = sum(len(state.originals) + len(state.not_asked) for state in report.branches)
    _report(f"first: {len(report.branches)} branches, {states} states in {seconds:.1f} s")
    assert seconds <= 30


def test_a_look_with_nothing_new_takes_a_second_at_most(clone: Repository, tips: Mapping[str, Sha], file: Path) -> None:
    seconds = min(_survey(clone, tips, file)[1] for _ in range(3))
    _report(f"nothing new: {seconds:.2f} s")
    assert seconds <= 1


def test_a_hundred_new_commits_take_three_seconds_at_most(
    clone: Repository, tips: Mapping[str, Sha], tmp_path: Path
) -> None:
    before = {name: _back(clone, tip, _NEW // len(tips) + 1) for name, tip in tips.items()}
    _survey(clone, before, tmp_path / "history.sqlite")
    _, seconds = _survey(clone, tips, tmp_path / "history.sqlite")
    new = clone.git.text("rev-list", "--count", *tips.values(), *(f"^{tip}" for tip in before.values()))
    _report(f"{new} new commits: {seconds:.2f} s")
    assert seconds <= 3


def test_backports_on_a_branch_are_recognised(clone: Repository, tips: Mapping[str, Sha], file: Path) -> None:
    pairs = _pairs(tips)
    with HistoryStore(file) as store:
        branch_scan = _scan(clone, tips, store)
    known_count = sum(_is_known(branch_scan, pair) for pair in pairs)
    _report(f"recognised: {known_count} of {len(pairs)}, {known_count / len(pairs):.2%}")
    assert known_count / len(pairs) >= 0.98


def test_what_was_backported_later_is_listed_as_missing(clone: Repository, tips: Mapping[str, Sha], file: Path) -> None:
    pairs = _pairs(tips)
    listed = asked = 0
    with HistoryStore(file) as store:
        commits = store.update(clone, tips.values())
        merged = {pair["X"]: commits[commits.require(pair["X"])].commit_date for pair in pairs}
        moments = sorted((merged[pair["X"]] + pair["bdate"]) // 2 for pair in pairs)
        for moment in moments[:: max(1, len(moments) // _DATES)]:
            branch_scan = _scan(clone, tips, store, moment)
            for pair in pairs:
                if (
                    merged[pair["X"]] <= moment < pair["bdate"]
                    and (missing := _is_missing(branch_scan, pair)) is not None
                ):
                    asked += 1
                    listed += missing
    _report(f"listed as missing: {listed} of {asked}, {listed / asked:.2%}")
    assert listed / asked >= 0.95


def _main(clone: Repository) -> str:
    return os.environ.get("BENCH_MAIN") or clone.default_branch()


def _survey(clone: Repository, tips: Mapping[str, Sha], file: Path) -> tuple[SyncReport, float]:
    start = time.perf_counter()
    with HistoryStore(file) as store:
        context = SyncContext(
            pick=PickContext(mirror=clone, config=parse_config("repository: bench/bench\n"), patches={}),
            store=store,
            main=_main(clone),
            tips=tips,
            all_branches=tips,
        )
        report = survey(context)
    return report, time.perf_counter() - start


def _scan(clone: Repository, tips: Mapping[str, Sha], store: HistoryStore, until: int | None = None) -> Scan:
    main = _main(clone)
    stable = {name: tip for name, tip in tips.items() if name != main}
    return scan(clone, store, main=tips[main], branches=stable, until=until)


def _back(clone: Repository, tip: Sha, steps: int) -> Sha:
    return Sha(clone.git.text("rev-list", "--first-parent", f"--max-count={steps + 1}", tip).split()[-1])


def _pairs(tips: Mapping[str, Sha]) -> Sequence[dict[str, Any]]:
    if "BENCH_PAIRS" not in os.environ:
        pytest.skip("BENCH_PAIRS names no file")
    lines = Path(os.environ["BENCH_PAIRS"]).read_text(encoding="utf-8").splitlines()
    return [pair for pair in map(json.loads, lines) if pair["branch"] in tips]


def _is_known(seen: Scan, pair: Mapping[str, Any]) -> bool:
    """Say whether the branch is known to have the original, be it reverted later."""
    position = seen.commits.require(pair["X"])
    original, landed = seen.main.brought_by.get(position), seen.landed[pair["branch"]]
    return (
        original in landed.present or original in landed.reverted or position in landed.partial.get(original or -1, ())
    )


def _is_missing(seen: Scan, pair: Mapping[str, Any]) -> bool | None:
    """Say whether the original is listed as missing; None where the main branch or the branch was not there yet."""
    branch, original = pair["branch"], seen.main.brought_by.get(seen.commits.require(pair["X"]))
    if original is None or branch not in seen.branches:
        return None
    return original in set(seen.main.since(seen.branches[branch].point)) and original not in seen.landed[branch].present


def _report(line: str) -> None:
    print(f"\n{Path(os.environ['BENCH_REPO']).name}: {line}")  # noqa: T201 - figures are what a benchmark is for
