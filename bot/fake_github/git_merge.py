"""Merges a pull request in the three ways of GitHub, on objects and without a worktree.

No branch is moved: the caller points a ref at the commit that is returned.
"""

from __future__ import annotations

from datetime import datetime

from bot.fake_github.git_store import GitCommit, GitStore, Person


def merged_tree(git: GitStore, base: str, head: str) -> str | None:
    """Return the tree of a merge of two commits, or None where they conflict or share no history."""
    result = git.attempt("merge-tree", "--write-tree", base, head)
    return result.stdout.decode().split("\n", 1)[0] if result.returncode == 0 else None


def trial_merge(git: GitStore, base: str, head: str) -> str | None:
    """Write GitHub's test merge commit, or return None on a conflict. The same pair gives the same commit."""
    tree = merged_tree(git, base, head)
    if tree is None:
        return None
    machine = Person("GitHub", "noreply@github.com", git.commit(head).committer.date)
    return git.write_commit(tree, (base, head), f"Merge {head} into {base}", machine, machine)


def merge_commit(git: GitStore, base: str, head: str, message: str, author: Person) -> str | None:
    """Write a merge commit of the two, or return None on a conflict."""
    tree = merged_tree(git, base, head)
    return tree and git.write_commit(tree, (base, head), message, author, _machine(author.date))


def squash_commit(git: GitStore, base: str, head: str, message: str, author: Person) -> str | None:
    """Write everything of `head` as one commit on `base`, or return None on a conflict."""
    tree = merged_tree(git, base, head)
    return tree and git.write_commit(tree, (base,), message, author, _machine(author.date))


def rebased_commits(git: GitStore, base: str, head: str, committer: Person) -> str | None:
    """Write each commit of `head` on `base` and return the last, or None on a conflict. Merge commits are left out."""
    tip, tree = base, git.commit(base).tree
    commits = git.log(f"{base}..{head}")
    trees = {commit.sha: commit.tree for commit in commits}
    for commit in reversed(commits):
        if len(commit.parents) > 1:
            continue
        # On the tree of its own parent a commit comes to its own tree. Most do, and to merge takes three processes.
        is_on_own_tree = any((trees.get(parent) or git.commit(parent).tree) == tree for parent in commit.parents)
        picked_tree = commit.tree if is_on_own_tree else _picked_tree(git, tip, tree, commit)
        if picked_tree is None:
            return None
        tip, tree = git.write_commit(picked_tree, (tip,), commit.message, commit.author, committer), picked_tree
    return tip


def _picked_tree(git: GitStore, tip: str, tree: str, commit: GitCommit) -> str | None:
    """Merge with the commit's parent as merge base: a commit of the tip's tree on that parent makes it so."""
    if not commit.parents:
        return merged_tree(git, tip, commit.sha)
    stand_in = git.write_commit(tree, commit.parents, "stand-in", commit.author, commit.committer)
    return merged_tree(git, stand_in, commit.sha)


def _machine(date: datetime) -> Person:
    return Person("GitHub", "noreply@github.com", date)
