"""Proves on several devices of this machine: kinds of device side by side, devices of one kind one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Protocol

from bot.config import ProveConfig
from bot.models import Progress, StopWhen, Verdict
from bot.proof.artifacts import write_evidence
from bot.proof.combine_devices import combine_devices


class ProveOnDevice(Protocol):
    """Proves on the one device that the settings describe."""

    def __call__(
        self, *, settings: ProveConfig, evidence: Path | None, progress: Progress, stop_when: StopWhen
    ) -> Verdict: ...


def prove_devices(
    settings: ProveConfig, prove: ProveOnDevice, *, evidence: Path | None, progress: Progress, stop_when: StopWhen
) -> Verdict:
    """Prove on each of the `devices` and return the worst verdict. Each device's reports go to a folder of its name.

    A CPU and a GPU share nothing, so their proofs go side by side. `stop_when` is asked by one thread at a time.
    """
    lock = Lock()

    def should_stop() -> bool:
        with lock:
            return stop_when()

    def prove_all(names: Sequence[str]) -> dict[str, Verdict]:
        return {
            name: prove(
                settings=settings.for_device(name),
                evidence=evidence and evidence / name,
                progress=_named(name, progress),
                stop_when=should_stop,
            )
            for name in names
        }

    kinds = _by_kind(settings)
    with ThreadPoolExecutor(max_workers=len(kinds)) as threads:
        verdicts = {
            name: verdict
            for verdicts_of_device in threads.map(prove_all, kinds.values())
            for name, verdict in verdicts_of_device.items()
        }
    verdict = combine_devices({entry.name: verdicts[entry.name] for entry in settings.devices})
    if evidence is not None:
        write_evidence(evidence, verdict, {})
    return verdict


def _by_kind(settings: ProveConfig) -> Mapping[str, list[str]]:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for entry in settings.devices:
        kinds[settings.for_device(entry.name).device].append(entry.name)
    return kinds


def _named(name: str, progress: Progress) -> Progress:
    return lambda line: progress(f"{name}: {line}")
