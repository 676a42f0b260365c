"""Backport Bot: carries merged fixes to release branches and proves each one before it opens the pull request."""

__version__ = "0.1.0"
