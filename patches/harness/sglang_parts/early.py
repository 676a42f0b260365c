"""Whoever imports this starts the process that children are forked from, with torch and the child's modules."""

from isolated.child import preload

preload("sglang_aiter", "sglang_parts.child.handler", shared=["torch"])
