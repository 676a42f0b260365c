"""The words of a file, found once: most questions about names come down to which file has which word.

Owns no meaning. A word is what Python takes for an identifier, in ASCII.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(rb"[A-Za-z_]\w*")


@lru_cache(maxsize=64)
def words(content: bytes) -> frozenset[bytes]:
    """Return the words of a text."""
    return frozenset(_WORD.findall(content))
