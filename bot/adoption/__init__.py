"""Brings the bot to a repository: the files that it needs there, the rights of its account, and checks of both."""
