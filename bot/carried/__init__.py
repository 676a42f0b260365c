"""Carried patches: the fix as data, the check whether a tree needs it, and the rewriting of the tree.

`schema`, `schema_rules` and `load` read a folder of patches. `tree` and `rules` read a target. `interpret`, `evaluate`
and `measures` compute what a target's code does without running it. Other packages call `detect` and `apply`. Nothing
here knows any particular project: `patches/` does.
"""
