"""What the history of all branches says: who picked, reverted or backported what, and what each branch has.

Reads git and keeps what it read in one file beside the mirror. Knows no configuration and no GitHub.
"""
