"""Backport Bot: carries merged fixes to release branches and proves each one before it opens the pull request."""

__version__ = "1.0.0.dev0"

REPOSITORY = "backport-bot/backport-bot"
"""Where the bot itself is published, as owner/name on github.com. Documents and workflows are held against it."""

MAJOR_TAG = f"v{__version__.partition('.')[0]}"
"""The tag that the newest release of this major version has: what workflows name."""
