"""Runs `backport-bot` for the jobs of a workflow, each in a process that is forked from one that has imported it.

A job of the small project takes less time than these imports. What a job gets and leaves is its own all the same:
arguments, folder, environment, files and exit code.

    python -m tests.actions.warm_bot serve SOCKET      the process that jobs are forked from
    python tests/actions/warm_bot.py SOCKET WORD…      one job's command
"""

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback

_IMPORTED = ("bot.cli.stage", "bot.handlers.ci_jobs", "bot.handlers.stages", "bot.report.terminal")


def _ask(path: str, words: list[str]) -> int:
    """Run a command with this process's folder, environment and files; return its exit code."""
    request = json.dumps({"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [len(request).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(request)
        return int(connection.recv(16) or b"1")


def _serve(path: str) -> None:
    for module in _IMPORTED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # who collects garbage writes into every object, and a job would copy all memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.new")
    listener.listen()
    os.rename(f"{path}.new", path)  # who finds it can connect
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(connection)
            os._exit(0)
        connection.close()


def _answer(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(connection, 4, 3)
    request = json.loads(connection.makefile("rb").read(int.from_bytes(size, "big")))
    child = os.fork()
    if child == 0:
        connection.close()
        _run(files, **request)
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _run(files: list[int], words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be the command, and end as it does, but leave the objects to the machine: to free them takes half a second."""
    main = importlib.import_module("bot.cli").main
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["backport-bot", *words]
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(sys.argv[2])
    sys.exit(_ask(sys.argv[1], sys.argv[2:]))
