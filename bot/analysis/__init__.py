"""What a file of a picked tree says without being run: whether it parses, and which of its names the tree lacks."""
