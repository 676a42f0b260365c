"""Checks files of a picked tree without running them: whether they parse, and which of their names the tree lacks."""
