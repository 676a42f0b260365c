"""Renders values as Markdown, plain data or terminal text. Every sentence of the bot is here. No input or output."""
