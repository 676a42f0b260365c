"""Every sentence the bot can say: values in, Markdown, plain data or terminal text out. Touches nothing outside."""
