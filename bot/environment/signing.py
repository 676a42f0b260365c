"""Signatures over what the bot writes where others can edit it and what it has to believe later.

Everybody with write access to a repository can edit every comment in it, the bot's own as well.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field

# Signatures are public, so whoever wants can try secrets against them: each try is to cost memory and time.
_LABEL = b"backport-bot: key for signing comments, 1"
_COST = {"n": 1 << 14, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs lists of texts, and knows its own signatures."""

    _key: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret: str) -> SigningKey:
        """Derive the key from a secret that is used for something else as well; neither gives the other away.

        White space in the secret does not count: a PEM file loses or gains some on its way through settings.
        """
        return cls(hashlib.scrypt("".join(secret.split()).encode(), salt=_LABEL, dklen=32, **_COST))

    def sign(self, *texts: str) -> str:
        """Return the HMAC-SHA256 of the texts, each told from the next, as 64 hex digits."""
        return hmac.digest(self._key, json.dumps(texts).encode(), "sha256").hex()

    def verify(self, signature: str, *texts: str) -> bool:
        """Say, in constant time, whether a signature is ours over these texts."""
        return hmac.compare_digest(signature.encode(), self.sign(*texts).encode())
