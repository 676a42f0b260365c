"""What goes wrong on a first day: each is a fact, a consequence and a remedy, on standard error, with exit code 2."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.cli.machine_failures import explain
from bot.environment.loopback import listen
from tests.git.history import History

Typed = Callable[..., tuple[int, str]]

ANY_URL = "http://127.0.0.1:9"
TOKENS = {"BACKPORT_BOT_TOKEN": "t", "BACKPORT_BOT_SECRET": "s"}


def _start(
    *words: str | Path, cwd: Path, code: str = "from bot.cli import main; main()", **environment: str | None
) -> subprocess.Popen[str]:
    own_values = {
        **os.environ,
        "XDG_CACHE_HOME": str(cwd / "cache"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=cwd,
        env={name: value for name, value in own_values.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _run(*words: str | Path, cwd: Path, **options: Any) -> tuple[int, str]:
    process = _start(*words, cwd=cwd, **options)
    _, output = process.communicate(timeout=120)
    return process.returncode, output


@pytest.fixture
def typed(work: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """Type a command in the folder `work`; return its exit code and its standard error.

    It runs in this process, as it takes longer to import the program than to fail.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.chdir(work)

    def type_in(*words: str | Path, **environment: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["backport-bot", *map(str, words)])
        for name, value in {"XDG_CACHE_HOME": str(work / "cache"), **environment}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capfd.readouterr().err

    yield type_in
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _explained(code: int, text: str) -> bool:
    return code == 2 and "Traceback" not in text and len(text.strip().splitlines()) >= 2


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "backport.yaml").write_text("repository: acme/widget\n")
    (tmp_path / "file").write_text("x")
    return tmp_path


@pytest.fixture
def clone(history: History) -> Path:
    """base ── fix (main);  base ── fix, picked (release/1)"""
    base = history.commit({"f": "1\n"})
    fix = history.branch("main", history.commit({"f": "2\n"}, base))
    history.branch("release/1", history.commit({"f": "2\n"}, base, message=f"Fix\n\n(cherry picked from commit {fix})"))
    return history.directory


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_without_the_server_extra_the_remedy_is_to_install_it(work: Path, command: str) -> None:
    plain = "import sys; sys.modules.update(dict.fromkeys(['starlette', 'uvicorn'])); from bot.cli import main; main()"
    code, output = _run(command, cwd=work, code=plain, **TOKENS)
    assert _explained(code, output), output
    assert "pip install 'backport-bot[server]'" in output


_ALL_IN_ONE_PROCESS = """
import sys
sys.modules.update(dict.fromkeys(["graphql", "nh3", "starlette", "uvicorn"]))
from bot.cli import main
for line in sys.argv[1].splitlines():
    sys.argv[1:] = line.split("\t")
    try:
        main()
    except SystemExit as ending:
        print(f"{line.split()[0]} ended with {ending.code}", file=sys.stderr)
"""


def test_a_plain_install_has_every_other_command(work: Path) -> None:
    commands: list[list[str | Path]] = [
        ["preflight", "--pr", "1", "--api-url", ANY_URL],
        ["reconcile", "--api-url", ANY_URL],
        ["sync", "--api-url", ANY_URL],
        ["check", work, "--patch", "sglang-24587"],
        ["apply", work, "--patch", "none"],
        ["prove", work],
        ["rehearse", work],
        ["stage", "pick", "--run", work],
    ]
    lines = "\n".join("\t".join(map(str, words)) for words in commands)
    _, output = _run(lines, cwd=work, code=_ALL_IN_ONE_PROCESS, **TOKENS)
    assert [words[0] for words in commands if f"{words[0]} ended with " not in output] == [], output
    assert "is not installed" not in output
    assert "Traceback" not in output


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Exception, match=f"Port {port} on 127.0.0.1 cannot be opened") as caught:
            listen(port)
    assert "--port" in getattr(caught.value, "hint", "")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_out_of_range_is_refused(typed: Typed, port: str) -> None:
    code, output = typed("serve", "--port", port, **TOKENS)
    assert _explained(code, output), output
    assert "--port" in output


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["serve", "--data", "file", "--api-url", ANY_URL], id="the data folder is a file"),
        pytest.param(["serve", "--data", "/proc/nowhere", "--api-url", ANY_URL], id="the data folder cannot be made"),
        pytest.param(["serve", "--config", "."], id="the configuration is a folder"),
        pytest.param(["serve", "--config", "file", "--api-url", ANY_URL], id="the configuration is something else"),
        pytest.param(["serve", "--config", "/dev/null"], id="the configuration is empty"),
        pytest.param(["serve", "--api-url", "api.github.com"], id="an address without a scheme"),
        pytest.param(["reconcile", "--api-url", ANY_URL], id="no network"),
        pytest.param(["sync", "--git", ".", "--data", "data"], id="no repository"),
        pytest.param(["rehearse", "."], id="no repository to rehearse"),
        pytest.param(["stage", "plan", "--run", "file/run", "--repository", "a/b", "--event", "file"], id="no event"),
    ],
)
def test_a_mistake_of_a_first_day_is_explained(typed: Typed, words: list[str]) -> None:
    code, output = typed(*words, **TOKENS)
    assert _explained(code, output), output
    assert "urllib3" not in output


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["rehearse", "CLONE", "--html", "."], id="the page is a folder"),
        pytest.param(["rehearse", "CLONE", "--html", "/proc/nowhere/page.html"], id="the page's folder is not there"),
        pytest.param(["sync", "--git", "CLONE", "--report", "file"], id="the report's folder is a file"),
    ],
)
def test_what_cannot_be_written_is_named(typed: Typed, clone: Path, words: list[str]) -> None:
    code, output = typed(*[clone if word == "CLONE" else word for word in words])
    assert _explained(code, output), output
    assert words[-1] in output


def test_a_cache_that_cannot_be_written_is_named(typed: Typed, clone: Path) -> None:
    code, output = typed("rehearse", clone, XDG_CACHE_HOME="/proc/nowhere")
    assert _explained(code, output), output
    assert "/proc/nowhere" in output


def test_without_git_the_remedy_is_to_install_it(work: Path, clone: Path) -> None:
    for words in (["rehearse", clone], ["sync", "--git", clone], ["demo"]):
        code, output = _run(*words, cwd=work, PATH=str(work / "nothing"))
        assert _explained(code, output), output
        assert "Install git" in output


def test_an_account_that_nobody_knows_and_that_has_no_home_can_rehearse(work: Path, clone: Path) -> None:
    unknown = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
    if subprocess.run([*unknown, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody be another user")
    code = f"import os, sys; os.execvp('unshare', [*{unknown!r}, sys.executable, '-m', 'bot', *sys.argv[1:]])"
    ended, output = _run("rehearse", clone, cwd=work, code=code, HOME=None, XDG_CACHE_HOME=None)
    assert (ended, "Traceback" in output) == (0, False), output
    assert "has no home folder" in output


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that takes connections and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        yield listener


def test_ctrl_c_ends_a_command_without_a_traceback(work: Path, silent_server: socket.socket) -> None:
    api_url = f"http://127.0.0.1:{silent_server.getsockname()[1]}"
    process = _start("reconcile", "--api-url", api_url, cwd=work, **TOKENS)
    connection, _ = silent_server.accept()
    with connection:  # the command waits for an answer now
        connection.settimeout(60)
        assert connection.recv(1)
        os.killpg(process.pid, signal.SIGINT)
        _, output = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in output


def test_a_reader_that_goes_away_ends_a_command_without_a_traceback(work: Path, clone: Path) -> None:
    process = _start("rehearse", clone, "--json", cwd=work)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process, process.stderr:
        assert "Traceback" not in process.stderr.read()


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    assert explain(KeyError("x")) is None
    assert explain(ModuleNotFoundError("No module named 'bot.nowhere'", name="bot.nowhere")) is None
    assert explain(OSError(5, "Input/output error")) is None
