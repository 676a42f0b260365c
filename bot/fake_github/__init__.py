"""A GitHub on loopback, for trying the bot without an account and for tests.

It holds what the bot, the demo and the tests use of GitHub's REST, GraphQL, git over HTTP, webhooks and pages, and
nothing else. It needs the `server` extra, and shares no code with the packages that it is used to test.
"""

from bot.fake_github.github import FakeGitHub

__all__ = ["FakeGitHub"]
