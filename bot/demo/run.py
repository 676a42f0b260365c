"""Runs the demo and prints progress, the table and the address of the pages; returns the exit code."""

from __future__ import annotations

import platform
import sys
import threading
from collections.abc import Mapping, Sequence

from rich.console import Console

from bot.demo.scenario import DemoRun, start_demo
from bot.environment.safe_output import to_json
from bot.environment.temporary_folders import scratch_folder
from bot.errors import NoDevice
from bot.git.environment import require_git
from bot.models import Method, NotAffected, Opened, TargetOutcome
from bot.report.json_data import target_to_json
from bot.report.terminal import render_explanations, results_table

# What each released branch must come to; the facts behind it stand in patches/sglang-24587/README.md.
_EXPECTED_METHODS: Mapping[str, Method | None] = {
    "release/v0.5.9": None,
    "release/v0.5.10": Method.CARRIED_PATCH,
    "release/v0.5.11": Method.CARRIED_PATCH,
    "release/v0.5.12": Method.CHERRY_PICK,
}
_DURATION = (
    "The suites take about half a minute on two idle cores. A download of the releases comes before, the first time."
)


def show_demo(*, as_json: bool, serve: bool, device: str, sync: bool = False) -> int:
    """Run the demo and print it; returns the exit code, 0 only if every branch has its expected outcome.

    With `sync` there is no comment: a scheduled run finds the originals that the branches lack. With `serve` the pages
    stay up until Ctrl-C, after the results are printed.

    Raises:
        NoDevice: this is not Linux, where Triton runs.
        BackportError: git is missing, a download failed, or the bot did not answer.
    """
    if platform.system() != "Linux":
        raise NoDevice(
            f"The demo runs Triton kernels, and Triton does not run on {platform.system()}; nothing was started.",
            hint="Use Linux, a container or a virtual machine. `check`, `apply` and most tests work here.",
        )
    require_git()
    # Progress goes to stderr, so that stdout holds the results alone.
    progress = Console(stderr=True, highlight=False)
    with (
        scratch_folder("backport-demo-") as scratch,
        start_demo(
            scratch, device=device, progress=lambda line: progress.print(line, markup=False, soft_wrap=True)
        ) as demo,
    ):
        results = _sync(demo, progress) if sync else _ask(demo, progress)
        good = is_as_expected(results, demo.heads())
        pages = demo.tracking_pages() if sync else [demo.page]
        _print_results(results, ("The tracking issue: " if sync else "The comment that was answered: "), pages, as_json)
        if not good:
            progress.print("Not every branch ended as it must; see above.", style="bold red")
        if serve:
            _wait(demo, progress)
    return 0 if good else 1


def _ask(demo: DemoRun, progress: Console) -> Sequence[TargetOutcome]:
    progress.print(_DURATION, soft_wrap=True)
    comment = f"/backport {' '.join(demo.branches)}"
    progress.print(f"Commenting on #{demo.original}: {comment}", markup=False)
    return demo.ask(comment)


def _sync(demo: DemoRun, progress: Console) -> Sequence[TargetOutcome]:
    progress.print(_DURATION, soft_wrap=True)
    progress.print("Running the scheduled sync, without a comment")
    return demo.sync()


def is_as_expected(results: Sequence[TargetOutcome], heads: Mapping[int, str]) -> bool:
    """Say whether every branch has its expected outcome, and each pull request's head is the tested commit."""
    return [result.target for result in results] == list(_EXPECTED_METHODS) and all(
        _is_right(outcome, heads) for outcome in results
    )


def _is_right(result: TargetOutcome, heads: Mapping[int, str]) -> bool:
    method = _EXPECTED_METHODS[result.target]
    match result:
        case NotAffected():
            return method is None
        case Opened(candidate=candidate, verdict=verdict, pull_request=opened) if candidate and verdict:
            is_tested_commit = heads.get(opened.number) == candidate.commit
            return candidate.method is method and verdict.proven and is_tested_commit
        case _:
            return False


def _print_results(results: Sequence[TargetOutcome], lead: str, pages: Sequence[str], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(to_json([target_to_json(result) for result in results], indent=2))
        sys.stdout.write("\n")
        return
    console = Console(highlight=False)
    console.print(results_table(results))
    console.print(render_explanations(results), markup=False, soft_wrap=True)
    for page in pages:
        console.print(f"{lead}{page}", markup=False, soft_wrap=True)


def _wait(demo: DemoRun, progress: Console) -> None:
    progress.print(f"The pages are up at {demo.page}; Ctrl-C ends them.", markup=False, soft_wrap=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        progress.print("Ended.")
