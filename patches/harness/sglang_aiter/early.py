"""Whoever imports this starts the process that children are forked from, which imports torch and the child's modules.

It comes before the other modules here, which import torch, too: the two take no longer than one.
"""

from isolated.child import preload

preload("torch", "sglang_aiter.child.handler")
