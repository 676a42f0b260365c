"""A GitHub on loopback, for trying the bot without an account and for tests.

Owns a stand-in that clients cannot tell from GitHub where a backport bot looks: REST, GraphQL, git over HTTP, webhooks
and pages. It shares no code with the rooms it is used to test.
"""

from bot.fake_github.github import FakeGitHub

__all__ = ["FakeGitHub"]
