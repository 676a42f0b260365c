"""Proves candidates: runs a regression suite on the base and on the candidate, and judges the two runs.

The processes that run foreign code get no tokens. Nothing here pushes or publishes.
"""

from bot.proof.judge import judge
from bot.proof.prove_suite import prove

__all__ = ["judge", "prove"]
