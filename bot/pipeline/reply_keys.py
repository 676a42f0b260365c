"""The keys of replies, by which the reply to a comment or a label is found again."""

from __future__ import annotations

import re


def comment_key(comment_id: int) -> str:
    """Return what the keys of all answers to a comment start with; a dash and the command's place follow."""
    return f"comment-{comment_id}"


def comment_of(key: str) -> int | None:
    """Return the comment that an answer's key belongs to; None for a label's."""
    match = re.fullmatch(r"comment-(\d+)(?:-\d+)?", key)
    return int(match[1]) if match else None


def run_key(run: str) -> str:
    """Return the key of the answer to a run that a person started by hand."""
    return f"run-{run}"


def label_key(target: str) -> str:
    """Return the key of the answer to a label that names a target."""
    return f"label-{target}"
