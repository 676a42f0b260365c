"""Whatever ends the bot ends its suites: a real `prove` is sent a signal while a test of the target's own sleeps."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.proof.test_container import RUNTIME
from tests.proof.walled import left, processes, walled

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)
ROOT = Path(__file__).parents[2]

# A namespace in which nobody may make another one is a machine that allows no walls.
WITHOUT_WALLS = (
    "unshare",
    "--map-root-user",
    "sh",
    "-c",
    'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"',
    "sh",
)


def begin_proof(folder: Path, *wrapped: str, config: str = "") -> tuple[subprocess.Popen[bytes], str]:
    """Start a `prove` whose test leaves a daemon and sleeps; returns the process and the word that marks both."""
    word = uuid.uuid4().hex
    for name in ("base", "candidate"):
        (folder / name).mkdir(parents=True)
    sleep = f"[sys.executable, '-c', 'import time; time.sleep(300)', {word!r}]"
    (folder / "candidate" / "test_it.py").write_text(
        f"import subprocess, sys\ndef test_it():\n    subprocess.Popen({sleep}, start_new_session=True)\n"
        f"    subprocess.run({sleep})\n"
    )
    (folder / "backport.yaml").write_text(f"repository: acme/widget\n{config}")
    command = [*wrapped, sys.executable, "-m", "bot", "prove", str(folder / "base"), "--device", "cpu"]
    command += ["--candidate", str(folder / "candidate"), "--config", str(folder / "backport.yaml")]
    with (folder / "log").open("wb") as log:
        bot = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(processes(word)) < 2 and time.monotonic() < deadline and bot.poll() is None:
        time.sleep(0.1)
    assert len(processes(word)) >= 2, (folder / "log").read_text()
    return bot, word


@walled
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("names", [(), WITHOUT_WALLS], ids=["walls", "no walls"])
def test_the_suites_end_with_the_bot(tmp_path: Path, number: signal.Signals, names: Sequence[str]) -> None:
    bot, word = begin_proof(tmp_path, *names)
    bot.send_signal(number)
    try:
        assert left(word, within=60.0) == []
        assert bot.wait(60) != 0
    finally:
        bot.kill()


@walled
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_bot_that_is_told_to_end_leaves_no_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    bot, _ = begin_proof(tmp_path / "proof")
    bot.send_signal(number)
    bot.wait(60)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_container_is_removed_by_whoever_outlives_the_bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's containers end with their client; what counts is that the runtime is told to remove each."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(RUNTIME, encoding="utf-8")
    (tmp_path / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    bot, word = begin_proof(tmp_path / "proof", config="prove: {containers: [{image: widget}]}\n")
    bot.kill()
    bot.wait()
    assert left(word) == []
    log = tmp_path / "bin" / "log.jsonl"
    deadline = time.monotonic() + 60
    while log.read_text().count('["rm", "--force"') < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert log.read_text().count('["rm", "--force"') == log.read_text().count('["run", ') == 2
