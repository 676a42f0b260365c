"""What a process prints is followed whatever it prints, in bounded memory and time."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.models import CommandSuite
from bot.proof.command_suite import run_command
from bot.proof.process_output import KEPT_LINES, LONGEST_LINE, Output

MIB = 1024 * 1024


def followed(write: Callable[[int], object], *, within: float = 30.0) -> tuple[tuple[str, ...], list[str]]:
    """Return the tail of what is written into a pipe, and all lines that were watched."""
    reading, writing = os.pipe()
    watched: list[str] = []
    output = Output(reading, watched.append)
    write(writing)
    os.close(writing)
    return output.tail(within), watched


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"on", b"e\ntw", b"o"], ["one", "two"]),
        ([b"one\r\ntwo\rthree"], ["one", "two", "three"]),
        ([b"\xff\xfe\x00\x1b[31mred\n"], ["\ufffd\ufffd\ufffd\ufffd[31mred"]),
        ([b""], []),
    ],
)
def test_lines_are_put_together_and_hold_nothing_that_cannot_be_shown(pieces: list[bytes], lines: list[str]) -> None:
    def write(pipe: int) -> None:
        for piece in pieces:
            os.write(pipe, piece)
            time.sleep(0.05)

    tail, watched = followed(write)
    assert list(tail) == watched == lines


def test_a_line_without_an_end_costs_bounded_memory() -> None:
    piece = b"x" * MIB

    def write(pipe: int) -> None:
        for _ in range(100):
            os.write(pipe, piece)

    tracemalloc.start()
    try:
        tail, _ = followed(write)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
    assert tail == ("x" * LONGEST_LINE,)


def test_of_a_flood_of_lines_the_last_are_kept() -> None:
    def write(pipe: int) -> None:
        for start in range(0, 1_000_000, 10_000):
            os.write(pipe, b"".join(b"%d\n" % number for number in range(start, start + 10_000)))

    tail, watched = followed(write)
    assert tail == tuple(str(number) for number in range(1_000_000 - KEPT_LINES, 1_000_000))
    assert len(watched) < 100_000


def test_a_pipe_that_something_holds_open_is_not_read_for_ever() -> None:
    reading, writing = os.pipe()
    output = Output(reading, lambda _: None)
    stop = threading.Event()

    def write_on() -> None:
        while not stop.wait(0.01):
            try:
                os.write(writing, b"still there\n")
            except BrokenPipeError:
                return

    writer = threading.Thread(target=write_on)
    writer.start()
    start = time.monotonic()
    tail = output.tail(0.5)
    assert time.monotonic() - start < 60
    assert tail[-1] == "still there"
    writer.join(60)
    assert not writer.is_alive(), "the pipe was closed"
    stop.set()
    os.close(writing)


@pytest.mark.parametrize(
    "line", ["'a::b' + ' A' * 100_000", "'Exit: ' + '! ' * 100_000", "'::' * 100_000", "'[' * 200_000"]
)
def test_no_line_keeps_other_threads_from_running(tmp_path: Path, line: str) -> None:
    (tmp_path / "t.py").write_text(f"print({line}, flush=True)\nimport time; time.sleep(60)\n")
    stood, stop = [0.0], threading.Event()

    def clock() -> None:
        last = time.process_time()  # of this process: how busy others are is no matter
        while not stop.wait(0.02):
            now = time.process_time()
            stood[0], last = max(stood[0], now - last), now

    watching = threading.Thread(target=clock)
    watching.start()
    try:
        suite = CommandSuite(name="x", command=("{python}", "t.py"), timeout=2)
        result = run_command(tmp_path, suite, name="base")
    finally:
        stop.set()
        watching.join()
    assert "stopped after 2 s" in result.problem
    assert stood[0] < 2, "a quadratic pattern stood for minutes"
