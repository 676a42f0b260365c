"""The history of all branches: who picked, reverted or backported which commit, and which originals each branch has.

It reads git and keeps the result in one file beside the mirror. It knows no configuration and no GitHub.
"""
