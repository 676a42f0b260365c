"""Removes secrets from a text that is logged or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

_REMOVED = "***"
# Without the scheme in front, which would be tried from each of its letters: quadratic in a long word.
_CREDENTIALS = re.compile(r"://[^/\s@]+@")
_SECRET = re.compile(
    r"\b(?:gh[a-z]|github_pat)_[A-Za-z0-9_]{16,}|Authorization: \w+ \S+"
    # A JSON web token, by which an App signs in: RFC 7519.
    r"|\beyJ[\w-]{10,1000}\.[\w-]{10,2000}\.[\w-]+"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:(?!-----).)*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
    re.DOTALL,
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without these secrets, whatever looks like a token or a key, and credentials in URLs."""
    for secret in secrets:
        text = text.replace(secret, _REMOVED)
    return _CREDENTIALS.sub(f"://{_REMOVED}@", _SECRET.sub(_REMOVED, text))
