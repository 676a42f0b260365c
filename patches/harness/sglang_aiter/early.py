"""Whoever imports this starts the process that children are forked from, with torch and the child's modules.

It comes before the other modules here: that process imports the child's while the judge imports these.
"""

from isolated.child import preload

preload("sglang_aiter.child.handler", shared=["torch"])
