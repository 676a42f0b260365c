"""What processes of one user can reach each other by: each is really there on this machine, and shut inside walls."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.proof.isolated_command import IsolationSettings
from tests.proof.walled import complaints, run, walled

LIBC = ctypes.CDLL(None, use_errno=True)
_ADD_KEY, _KEYCTL = {"x86_64": (248, 250), "aarch64": (217, 219)}.get(os.uname().machine, (0, 0))
_SESSION = -3
"""The keyring of the session, which every process that we start has too."""


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[dict[str, object]]:
    """Put what a suite could talk to around it: sockets, a terminal, shared memory, a message queue and a key."""
    with ExitStack() as stack:
        on_disk, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        on_disk.bind(str(tmp_path / "agent.sock"))
        abstract.bind(f"\0backport-{os.getpid()}")
        loopback = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for server in (on_disk, abstract, loopback):
            server.listen()
        terminal, theirs = os.openpty()
        stack.callback(os.close, terminal)
        stack.callback(os.close, theirs)
        memory = LIBC.shmget(os.getpid(), 64, 0o1600)
        stack.callback(LIBC.shmctl, memory, 0, None)
        queue = f"/backport-{os.getpid()}"
        assert LIBC.mq_open(queue.encode(), os.O_CREAT | os.O_RDWR, 0o600, None) >= 0
        stack.callback(LIBC.mq_unlink, queue.encode())
        key = LIBC.syscall(_ADD_KEY, b"user", b"backport", b"secret", 6, _SESSION)
        stack.callback(LIBC.syscall, _KEYCTL, 3, key)
        yield {
            "unix": str(tmp_path / "agent.sock"),
            "abstract": f"\0backport-{os.getpid()}",
            "port": loopback.getsockname()[1],
            "terminal": os.ttyname(theirs),
            "memory": os.getpid(),
            "queue": queue,
            "bot": os.getpid(),
        }


_CHANNELS = """
    import ctypes, errno, os, pathlib, socket, subprocess, sys, threading

    import pytest

    OUTSIDE = {outside!r}
    LIBC = ctypes.CDLL(None, use_errno=True)
    NUMBERS = {{"x86_64": (250, 249, 323, 425, 298), "aarch64": (219, 218, 282, 425, 241)}}
    KEYCTL, REQUEST_KEY, USERFAULTFD, IO_URING, PERF = NUMBERS[os.uname().machine]

    def connect(address, family=socket.AF_UNIX):
        with socket.socket(family) as client:
            client.settimeout(5)
            client.connect(address)

    def test_sockets_on_the_disk():
        with pytest.raises(OSError):
            connect(OUTSIDE["unix"])

    def test_abstract_sockets():
        with pytest.raises(OSError):
            connect(OUTSIDE["abstract"])

    def test_sockets_of_its_own_work(tmp_path):
        for address in (str(tmp_path / "own.sock"), chr(0) + "own"):
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(address)
                server.listen()
                connect(address)

    def test_terminals():
        assert os.ttyname(os.openpty()[1]).startswith("/dev/pts/")
        for name in os.listdir("/dev/pts"):
            assert name == "ptmx" or os.stat(f"/dev/pts/{{name}}").st_dev != {terminals}
        with pytest.raises(OSError):
            os.open("/dev/tty", os.O_RDWR)

    def test_shared_memory_and_message_queues():
        assert LIBC.shmget(OUTSIDE["memory"], 64, 0) == -1
        assert LIBC.mq_open(OUTSIDE["queue"].encode(), os.O_RDONLY) == -1

    def test_keys_of_the_session():
        assert LIBC.syscall(REQUEST_KEY, b"user", b"backport", None, 0) == -1
        assert LIBC.syscall(KEYCTL, 10, b"user", b"backport", 0, 0) == -1
        assert "backport" not in (open("/proc/keys").read() if os.access("/proc/keys", os.R_OK) else "")

    def test_system_calls_that_no_wall_covers():
        for number in (USERFAULTFD, IO_URING, PERF):
            assert LIBC.syscall(number, 1, None, 0, -1, 0) == -1
            assert ctypes.get_errno() == errno.EPERM

    def test_sockets_to_the_host_of_a_virtual_machine():
        with pytest.raises(OSError):
            socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)

    def test_namespaces_of_its_own():
        assert subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True).returncode != 0

    def test_processes():
        assert {{int(name) for name in os.listdir("/proc") if name.isdigit()}} <= set(range(1, 200))
        for path in ("/proc/1/environ", "/proc/1/exe", "/proc/1/fd/1", "/proc/1/root", "/proc/1/cwd", "/proc/1/mem"):
            with pytest.raises(OSError):
                os.open(f"{{path}}", os.O_RDONLY)
        assert LIBC.ptrace(16, 1, 0, 0) == -1

    def test_what_it_inherited():
        program = "import os; print(os.readlink('/proc/self/fd/0'), *os.listdir('/proc/self/fd'))"
        started = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, close_fds=False)
        assert started.stdout.split() == ["/dev/null", "0", "1", "2", "3"]  # the last is that of the folder itself

    def test_threads_have_names_or_no_gpu_starts():
        with open(f"/proc/self/task/{{threading.get_native_id()}}/comm", "r+") as name:
            name.write("worker")

    @pytest.mark.parametrize("path", ["sysrq-trigger", "sys/kernel/core_pattern", "irq/default_smp_affinity"])
    def test_settings_of_the_kernel(path):
        with pytest.raises(OSError):
            open("/proc/" + path, "r+")

    @pytest.mark.parametrize("path", ["/dev", "/tmp", "/var/tmp", "/run", "/etc", "/usr", "/", "/proc/self/attr"])
    def test_nothing_can_be_made(path):
        with pytest.raises(OSError):
            open(path + "/backport-mark", "x")

    def test_what_is_there():
        assert os.listdir("/run") == [] == os.listdir("/var/tmp")
        for path in ("/etc/shadow", "/sys/fs/cgroup", "/dev/mem", "/dev/fuse"):
            assert not os.path.exists(path)
        assert not os.path.exists({beside!r})

    def test_hard_links_end_at_the_walls(tmp_path):
        with pytest.raises(OSError):
            os.link("/usr/bin/env", tmp_path / "env")

    def test_programs_that_run_as_somebody_else_do_not():
        status = open("/proc/self/status").read()
        assert "NoNewPrivs:\\t1" in status and "Seccomp:\\t2" in status

    def test_loopback_works_and_is_its_own():
        with socket.create_server(("127.0.0.1", 0)) as server:
            connect(server.getsockname(), socket.AF_INET)
        if {closed!r}:
            with pytest.raises(OSError):
                connect(("127.0.0.1", OUTSIDE["port"]), socket.AF_INET)
        else:
            connect(("127.0.0.1", OUTSIDE["port"]), socket.AF_INET)
"""


@walled
@pytest.mark.parametrize("network", [False, True], ids=["no network", "the machine's network"])
def test_what_processes_of_one_user_share_is_shut(tmp_path: Path, outside: dict[str, object], network: bool) -> None:
    if network and LIBC.syscall(444, None, ctypes.c_size_t(0), 1) < 6:
        pytest.skip("abstract sockets belong to the network, and before Linux 6.12 nothing keeps a process from them")
    (tmp_path / "beside").write_text("secret")
    text = _CHANNELS.format(
        outside=outside,
        terminals=os.stat("/dev/pts").st_dev,  # noqa: PTH116
        beside=str(tmp_path / "beside"),
        closed=not network,
    )
    assert complaints(run(tmp_path, text, IsolationSettings(network=network))) == []


@walled
@pytest.mark.parametrize(
    "name", ["a blank", "quote ' and \" $HOME `id`", "new\nline", "back\\040slash", "ünï", "-rf", "#%;&*?"]
)
def test_any_path_can_be_walled(tmp_path: Path, name: str) -> None:
    text = "import os\ndef test_it():\n    assert os.listdir(os.environ['SUITE_TARGET']) == ['file']\n"
    (tmp_path / name / "tree").mkdir(parents=True)
    (tmp_path / name / "tree" / "file").write_text("x")
    assert complaints(run(tmp_path / name, text)) == []


@walled
def test_links_on_the_way_to_a_path_are_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "far").symlink_to(tmp_path / "link")
    shown_text = tmp_path / "far" / "file"
    text = f"def test_it():\n    assert open({str(shown_text)!r}).read() == 'x'\n"
    assert complaints(run(tmp_path, text, IsolationSettings(readable=(shown_text,)))) == []


@walled
def test_a_checkout_does_not_show_what_git_keeps_beside_it(tmp_path: Path) -> None:
    (tmp_path / "tree" / ".git").mkdir(parents=True)
    (tmp_path / "tree" / ".git" / "config").write_text("token")
    text = "import os\ndef test_it():\n    assert os.listdir(os.environ['SUITE_TARGET'] + '/.git') == []\n"
    assert complaints(run(tmp_path, text)) == []


_AS_SOMEBODY = """
import os, sys
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from bot.proof.isolated_command import IsolationSettings, Launch, isolation_kind
from bot.proof.run_isolated import RunOptions, run_isolated

folder, program = Path(sys.argv[2]), "import os; print(os.getuid(), os.path.exists('/root'), os.listdir('.'))"
launch = Launch(command=[sys.executable, "-c", program], directory=folder, environment={}, writable=(folder,))
result = run_isolated(launch, RunOptions(), timeout=60, watch=lambda line: None)
print(isolation_kind(IsolationSettings()).value, *result.tail)
"""


@walled
@pytest.mark.skipif(os.getuid() != 0 or not Path("/usr/bin/python3").exists(), reason="only root can run as others")
@pytest.mark.parametrize("user", [65534, 54321], ids=["nobody", "a user without an entry in /etc/passwd"])
def test_an_ordinary_user_gets_the_same_walls(user: int) -> None:
    """By the system's Python and below /var/tmp: ours, and the folders of pytest, may be for root alone."""
    result = subprocess.run(["mktemp", "-d", "/var/tmp/walls XXXXXX"], capture_output=True, text=True, check=True)
    folder = Path(result.stdout.rstrip("\n"))
    os.chown(folder, user, user)
    package = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-B", "-c", _AS_SOMEBODY, str(package), str(folder)],
            user=user,
            group=user,
            extra_groups=[],
            cwd="/",
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("namespaces 0 False []\n", "")
    finally:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True)


@walled
def test_a_variable_that_names_a_home_shows_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "key").write_text("secret")
    for name in ("HOME", "LD_LIBRARY_PATH", "CUDA_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("PATH", f"{home}:{home}/bin:{tmp_path}/bin:{os.environ['PATH']}")
    text = f"import os\ndef test_it():\n    assert os.listdir({str(home)!r}) == []\n"
    assert complaints(run(tmp_path, text, device="auto")) == []
