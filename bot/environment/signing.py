"""Signs text that the bot writes where others can edit it, and that it has to trust later.

Everyone with write access to a repository can edit all comments in it, including the bot's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field

# Signatures are public, so anyone can test guesses of the secret against them. Each guess costs memory and time.
_LABEL = b"backport-bot: key for signing comments, 1"
_COST = {"n": 1 << 14, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs lists of texts, and verifies signatures."""

    _key: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret: str) -> SigningKey:
        """Derive the key from a secret that has another use, too. Neither reveals the other.

        White space in the secret does not count: a PEM file loses or gains some on its way through settings.
        """
        return cls(hashlib.scrypt("".join(secret.split()).encode(), salt=_LABEL, dklen=32, **_COST))

    def sign(self, *texts: str) -> str:
        """Return the HMAC-SHA256 of the list of texts as 64 hex digits."""
        return hmac.digest(self._key, json.dumps(texts).encode(), "sha256").hex()

    def verify(self, signature: str, *texts: str) -> bool:
        """Return, in constant time, whether a signature is this key's over these texts."""
        return hmac.compare_digest(signature.encode(), self.sign(*texts).encode())
