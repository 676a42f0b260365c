"""Text that people and tools wrote: names, Markdown, comments and templates, read and written safely."""
