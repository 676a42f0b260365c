"""Signs text that the bot writes where others can edit it, and that it has to trust later.

Everyone with write access to a repository can edit all comments in it, including the bot's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

# Signatures are public, so anyone can test guesses of the secret against them. Each guess costs memory and time.
_LABEL = b"backport-bot: key for signing comments, 1"
_COST = {"n": 1 << 14, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs lists of texts, and verifies signatures: its own, and those of the keys that it accepts besides."""

    _key: bytes = field(repr=False)
    _accepted: list[bytes] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def derive(cls, secret: str) -> SigningKey:
        """Derive the key from a secret that has another use, too. Neither reveals the other.

        White space in the secret does not count: a PEM file loses or gains some on its way through settings.
        """
        return cls(hashlib.scrypt("".join(secret.split()).encode(), salt=_LABEL, dklen=32, **_COST))

    def sign(self, *texts: str) -> str:
        """Return the HMAC-SHA256 of the list of texts as 64 hex digits."""
        return _sign(self._key, texts)

    def verify(self, signature: str, *texts: str) -> bool:
        """Return whether a signature is this key's, or an accepted one's, over these texts.

        The time does not depend on how much of the signature is right.
        """
        keys = (self._key, *self._accepted)
        return any(hmac.compare_digest(signature.encode(), _sign(key, texts).encode()) for key in keys)

    def to_text(self) -> str:
        """Return the key itself as hex digits. Whoever has it can sign."""
        return self._key.hex()

    def accept(self, keys: Iterable[str]) -> None:
        """Accept the signatures of these keys from now on, each as `to_text` returned it."""
        self._accepted.extend(bytes.fromhex(text) for text in keys)


def _sign(key: bytes, texts: tuple[str, ...]) -> str:
    return hmac.digest(key, json.dumps(texts).encode(), "sha256").hex()
