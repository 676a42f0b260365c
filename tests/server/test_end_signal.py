"""A signal ends the service wherever the process is when it comes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from bot.server.end_signal import EndSignal


class _Garbage:
    """Gets a signal in the middle of a callback, from which Python raises no exception."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_in_a_callback_of_the_garbage_collector_is_not_lost() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with EndSignal() as end:
        _Garbage()
        end.wait()
        assert signal.getsignal(signal.SIGTERM) is before, "a second one ends the process at once"
        with pytest.raises(SystemExit) as caught:
            end.raise_it()
    assert caught.value.code == 128 + signal.SIGTERM


def test_ctrl_c_is_what_it_is_elsewhere() -> None:
    with EndSignal() as end:
        signal.raise_signal(signal.SIGINT)
        end.wait()
        with pytest.raises(KeyboardInterrupt):
            end.raise_it()


def test_a_failure_ends_the_waiting_as_well() -> None:
    with EndSignal() as end:
        threading.Thread(target=end.tell).start()
        end.wait()
