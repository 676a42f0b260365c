"""The report that ends a push, as GitHub words it.

git's own hooks can only say "hook declined" for a ref; GitHub puts its reason there. The report is a list of pkt-lines:
https://git-scm.com/docs/pack-protocol#_report_status
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_HOOK_WORDS = b"hook declined"
_HOOK = re.compile(rb"(?:pre-receive )?hook declined")
_REPORT, _REMARKS = 1, 2


def explain_refusals(answer: bytes, summary: str = "") -> bytes:
    """Put GitHub's reason in the place of "hook declined". An answer without a refusal stays as it is.

    The reason is a `summary`, beside which what the hook wrote is sent along; without one it is that text.
    """
    lines = list(_read(answer))
    remarks = b"".join(line[1:] for line in lines if line and line[0] == _REMARKS).strip()
    if not remarks or _HOOK_WORDS not in answer:
        return answer
    report = b"".join(line[1:] for line in lines if line and line[0] == _REPORT)
    reason = summary.encode() or remarks.splitlines()[0]
    report_lines = [line and _HOOK.sub(lambda _: reason, line) for line in _read(report)]
    remark_lines = [bytes([_REMARKS]) + remarks + b"\n"] if summary else []
    return _write([*remark_lines, bytes([_REPORT]) + _write(report_lines), None])


def _read(data: bytes) -> Iterator[bytes | None]:
    """Split into pkt-lines; None stands for a flush."""
    start = 0
    while start + 4 <= len(data):
        length = int(data[start : start + 4], 16)
        yield data[start + 4 : start + length] if length else None
        start += length or 4


def _write(lines: Iterable[bytes | None]) -> bytes:
    return b"".join(b"0000" if line is None else b"%04x%b" % (len(line) + 4, line) for line in lines)
