"""The client of GitHub: all that the bot reads and changes there."""
