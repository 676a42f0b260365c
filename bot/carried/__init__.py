"""Carried patches: what a fix is, whether a tree needs it, and how it is brought there.

`schema` and `load` read a patches folder; `tree` and `rules` look at a target; `values`, `calls`, `expressions`,
`trace` and `measure` work out what a target's code computes without running it; `detect` and `apply` are what other
rooms call. Nothing here knows any particular project: that is in `patches/`.
"""
