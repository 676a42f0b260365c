"""A suite that really looks for tokens, and takes what it can get: it finds none, and is held to its bounds.

What holds only inside namespaces of its own is skipped where a machine allows none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.models import Suite
from bot.proof.isolated_command import IsolationSettings, has_own_pid_limit
from bot.proof.pytest_suite import run_suite
from tests.proof.walled import complaints, left, run, walled

SECRET = "ghs_0123456789abcdef0123456789abcdef"
MIB = 1024**2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the bot's with a token in every place, its environment included."""
    home = tmp_path / "home"
    known = (".git-credentials", ".netrc", ".config/gh/hosts.yml", ".ssh/id_ed25519", ".docker/config.json")
    others = (
        ".gitconfig",
        ".bash_history",
        "actions-runner/.credentials",
        "data/mirror.git/config",
        "bot.env",
        "a key.pem",
    )
    for name in (*known, *others):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(SECRET)
    monkeypatch.setenv("HOME", str(home))
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "BACKPORT_BOT_TOKEN", "BACKPORT_BOT_SECRET", "ACTIONS_RUNTIME_TOKEN"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(home / "agent.sock"))
    return home


@walled
@pytest.mark.usefixtures("home")
def test_a_looking_suite_fails_where_there_is_a_token(tmp_path: Path) -> None:
    """What the next test looks for can be found: a folder that the configuration shows gives it away."""
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "key").write_text(SECRET)
    text = f"def test_it():\n    assert open({str(tmp_path / 'shown' / 'key')!r}).read() != {SECRET!r}\n"
    assert len(complaints(run(tmp_path, text, IsolationSettings(readable=(tmp_path / "shown",))))) == 1


@walled
def test_tokens_are_found_in_none_of_the_usual_places(tmp_path: Path, home: Path) -> None:
    result = run(
        tmp_path,
        f"""
        import contextlib, os, pathlib, subprocess

        HOMES = [pathlib.Path({str(home)!r}), pathlib.Path.home()]

        def holds(path):
            with contextlib.suppress(OSError):
                return {SECRET!r}.encode() in path.read_bytes()
            return False

        def test_home_folders():
            files = [path for home in HOMES for path in home.rglob("*")]
            assert [str(path) for path in files if holds(path)] == []
            assert list(HOMES[0].iterdir()) == []

        def test_environments_of_every_process_that_can_be_seen():
            assert [str(path) for path in pathlib.Path("/proc").glob("[0-9]*/environ") if holds(path)] == []
            assert "SSH_AUTH_SOCK" not in os.environ

        def test_command_lines_of_every_process_that_can_be_seen():
            assert [str(path) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if holds(path)] == []

        def test_git_has_no_credentials():
            asked = subprocess.run(["git", "credential", "fill"], input="protocol=https\\nhost=github.com\\n\\n",
                                   capture_output=True, text=True, env=dict(os.environ, GIT_TERMINAL_PROMPT="0"))
            assert {SECRET!r} not in asked.stdout
        """,
    )
    assert complaints(result) == []


@walled
def test_the_walls_cannot_be_taken_down_from_inside(tmp_path: Path, home: Path) -> None:
    result = run(
        tmp_path,
        f"""
        import pathlib, subprocess

        HOME = {str(home)!r}

        def fails(*command):
            return subprocess.run(command, capture_output=True).returncode != 0

        def test_nothing_can_be_unmounted_or_made_writable():
            assert fails("umount", HOME + "/.ssh")
            assert fails("umount", HOME + "/.netrc")
            assert fails("mount", "-o", "remount,bind,rw", "/")

        def test_another_namespace_gives_nothing_back():
            assert fails("unshare", "--map-root-user", "--mount", "umount", HOME + "/.ssh")

        def test_no_capability_is_left():
            status = pathlib.Path("/proc/self/status").read_text()
            lines = [line.split() for line in status.splitlines() if line.startswith("Cap")]
            assert {{value.strip("0") for _, value in lines}} == {{""}}
        """,
    )
    assert complaints(result) == []


@walled
def test_it_writes_to_its_own_folders_alone(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        f"""
        import os, pathlib, tempfile, pytest

        BESIDE = pathlib.Path({str(tmp_path)!r})

        @pytest.mark.parametrize("place", [BESIDE / "tree", BESIDE / "suite", "/usr", "/tmp", "/"])
        def test_read_only(place):
            with pytest.raises(OSError):
                pathlib.Path(place, "mark").write_text("x")

        def test_kernel_settings_are_read_only():
            with pytest.raises(OSError):
                pathlib.Path("/proc/sys/kernel/core_pattern").write_text("|/bin/false")

        def test_a_home_of_its_own():
            assert pathlib.Path(tempfile.gettempdir()) == pathlib.Path.home()
            pathlib.Path.home().joinpath("mark").write_text("x")
        """,
    )
    assert complaints(result) == []
    assert not (tmp_path / "tree" / "mark").exists()


@walled
def test_there_is_no_network_unless_it_is_configured(tmp_path: Path) -> None:
    text = """
    import socket

    def test_interfaces():
        assert [name for _, name in socket.if_nameindex()] == ["lo"]
    """
    assert complaints(run(tmp_path, text)) == []
    assert complaints(run(tmp_path, text, IsolationSettings(network=True))) != []


def test_a_file_cannot_fill_the_disk(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import pathlib, signal

        def test_fills_the_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            file = pathlib.Path.home() / "filler"
            try:
                with file.open("wb") as filler:
                    for _ in range(64):
                        filler.write(b"x" * 2**20)
            except OSError:
                pass
            assert file.stat().st_size <= 8 * 2**20
        """,
        IsolationSettings(file=8 * MIB),
    )
    assert complaints(result) == []


def test_memory_has_a_bound(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import pytest

        def test_takes_it_all():
            with pytest.raises(MemoryError):
                bytearray(4 * 2**30)
        """,
        IsolationSettings(memory=2048 * MIB),
    )
    assert complaints(result) == []


@walled
def test_a_fork_bomb_is_bounded_and_gone_afterwards(tmp_path: Path) -> None:
    """The number of live processes is what the bomb itself counts. Before Linux 6.14 nothing bounds that of root."""
    result = run(
        tmp_path,
        """
        import os, time

        def test_forks_until_it_is_stopped(record_property):
            children = []
            try:
                while len(children) < 3000:
                    child = os.fork()
                    if child == 0:
                        time.sleep(120)
                        os._exit(0)
                    children.append(child)
            except OSError:
                pass
            record_property("children", len(children))
        """,
        IsolationSettings(processes=320),
    )
    assert complaints(result) == []
    assert int(result.cases[0].figures["children"]) < 320 or not has_own_pid_limit()
    assert left(str(tmp_path)) == []


@walled
def test_a_daemon_does_not_outlive_the_run(tmp_path: Path) -> None:
    """It leaves its session and its parent, as daemons do; the end of the process tree ends it all the same."""
    result = run(
        tmp_path,
        f"""
        import os, subprocess, sys

        def test_leaves_a_daemon():
            code = "import os, time; os.setsid(); os.fork() and os._exit(0); time.sleep(120)"
            subprocess.Popen([sys.executable, "-c", code, {str(tmp_path)!r}], stdout=subprocess.DEVNULL)
        """,
    )
    assert complaints(result) == []
    assert left(str(tmp_path)) == []


def test_a_suite_is_found_by_a_path_that_is_relative_to_where_the_bot_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config backport.yaml` makes the folders of carried patches relative."""
    for name in ("tree", "suite"):
        (tmp_path / name).mkdir()
    (tmp_path / "suite/test_it.py").write_text("def test_it(): pass\n")
    monkeypatch.chdir(tmp_path)
    result = run_suite(Path("tree"), Suite(name="it", directory=Path("suite"), timeout=60), name="base", device="cpu")
    assert result.problem == ""
