"""Whoever imports this starts the process that children are forked from, and lets it import torch and the
child's modules.
"""

from isolated.child import preload

preload("torch", "sglang_aiter", "sglang_parts.child.handler")
