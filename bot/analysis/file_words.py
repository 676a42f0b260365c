"""The words of a file, cached: most questions about names depend only on which file contains which word.

A word is an ASCII identifier of Python.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(rb"[A-Za-z_]\w*")


@lru_cache(maxsize=64)
def words(content: bytes) -> frozenset[bytes]:
    """Return the words of a text."""
    return frozenset(_WORD.findall(content))
