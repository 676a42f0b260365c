"""Proof: a carried patch's regression suite, run on the base and on the candidate, and what the two runs say.

The processes that run foreign code get no tokens. Nothing here pushes or publishes.
"""

from bot.proof.judge import judge
from bot.proof.prove_suite import prove

__all__ = ["judge", "prove"]
