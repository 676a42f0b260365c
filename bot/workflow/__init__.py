"""The line from a trigger to the pull requests: the only room that holds both doors, git and GitHub."""
