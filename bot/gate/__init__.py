"""Proof: a carried patch's regression suite, run on the base and on the candidate, and what the two runs say.

Owns processes that run somebody's code, without tokens, and the verdict about them. Pushes and publishes nothing.
"""

from bot.gate.judge import judge
from bot.gate.local import prove

__all__ = ["judge", "prove"]
