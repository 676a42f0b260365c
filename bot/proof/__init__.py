"""Proof: a carried patch's regression suite, run on the base and on the candidate, and what the two runs say.

Owns processes that run somebody's code, without tokens, and the verdict about them. Pushes and publishes nothing.
"""

from bot.proof.judge import judge
from bot.proof.local_runner import prove

__all__ = ["judge", "prove"]
