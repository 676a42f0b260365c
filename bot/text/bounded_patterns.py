"""Regular expressions of a configuration that cannot take long, whatever text they meet.

Python's `re` backtracks: a repeated group that holds a repeat takes time exponential in the text, and each further
repeat multiplies the time by the text's length. So a pattern has few repeats, and none of a group, and a text is short.
"""

from __future__ import annotations

import re

LONGEST_PATTERN = 200
LONGEST_TEXT = 50
"""Characters of a text that is matched; GitHub takes 50 in a label."""
_MAX_REPEATS = 3
_MAX_CHOICES = 6
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_SET = re.compile(r"\[\^?\]?[^\]]*\]")
_NAMED = re.compile(r"\(\?P<[A-Za-z_]\w*>")
_REPLACED = re.compile(r"\\(\d)|\$(\d)|\$\{(\w+)\}")


def pattern_problem(pattern: str) -> str | None:
    """Return why a pattern is not accepted, or None."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    # What is escaped, or in a set, is only a character.
    plain = _NAMED.sub("(", _SET.sub("s", _ESCAPED.sub("e", pattern))).replace("(?:", "(")
    checks = (
        (len(pattern) > LONGEST_PATTERN, f"is longer than {LONGEST_PATTERN} characters"),
        (re.search(r"\\[1-9]", pattern.replace("\\\\", "")), "refers back to a group, which can take long"),
        ("(?" in plain, "uses `(?…)`; only `(?:…)` and `(?P<name>…)` are accepted"),
        (re.search(r"\)[*+{]", plain), "repeats a group, which can take long; repeat a set such as `[0-9.]+`"),
        (len(re.findall(r"[*+{]", plain)) > _MAX_REPEATS, f"has more than {_MAX_REPEATS} repeats, which can take long"),
        (len(re.findall(r"[?|]", plain)) > _MAX_CHOICES, f"has more than {_MAX_CHOICES} of `?` and `|`"),
    )
    return next((problem for is_refused, problem in checks if is_refused), None)


def replacement_problem(replacement: str, pattern: str) -> str | None:
    """Return why a replacement does not fit its pattern, or None."""
    compiled = re.compile(pattern)
    for match in _REPLACED.finditer(replacement):
        name = match[1] or match[2] or match[3]
        is_known = int(name) <= compiled.groups if name.isdecimal() else name in compiled.groupindex
        if not is_known:
            return f"uses `{match[0]}`, a group that `{pattern}` does not have"
    return None


def has_groups(replacement: str) -> bool:
    """Return whether a replacement takes something from the text."""
    return _REPLACED.search(replacement) is not None


def replace_match(pattern: str, replacement: str, text: str) -> str | None:
    """Return the replacement with the groups of the pattern's match filled in; None if the text does not match.

    `$1`, `\\1` and `${name}` stand for groups; one that took no part in the match is empty.
    """
    match = re.search(pattern, text) if len(text) <= LONGEST_TEXT else None
    if match is None:
        return None
    return _REPLACED.sub(lambda group: match[_key(group)] or "", replacement)


def _key(group: re.Match[str]) -> int | str:
    name = group[1] or group[2] or group[3]
    return int(name) if name.isdecimal() else name
