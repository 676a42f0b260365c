"""A repository on disk: answers what git knows, through GitPython and through processes of our own.

Objects, trees, the remote and exports have modules of their own; picks are built on top.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from git import SymbolicReference

from bot.git import export, fetch_ahead, remote, trees
from bot.git.connection import REMOTE, Connection
from bot.git.objects import SUBMODULE, ObjectReader, ObjectWriter, parse_commit
from bot.git.open import Repo, open_repo
from bot.git.partial import PartialMirror
from bot.git.process import Git
from bot.git.quarantine import promote, quarantine_variables
from bot.git.tree_cache import TreeCache
from bot.models import Commit, Sha, Signature

_NAMESPACES = ("refs/heads/", f"refs/remotes/{REMOTE}/")
# About 2 kB each.
_COMMITS_LIMIT = 10_000
_RECENT = 60.0
"""Seconds."""


class Repository:
    """One git directory, bare or not, with the remote that it mirrors if there is one.

    With `partial` it fetches what it lacks. Threads may read from one. No worktree is ever created or touched.
    """

    def __init__(self, repo: Repo, connection: Connection | None = None, partial: PartialMirror | None = None) -> None:
        self.repo = repo
        self.git = repo.git
        self.connection = connection or Connection()
        self.partial = partial
        self.objects = Path(repo.common_dir, "objects")
        self.reader = ObjectReader(self._own_objects())
        self.tree_cache = TreeCache(self.reader, bring=partial.bring if partial else None)
        self.writer = ObjectWriter(Path(self.git.variables.get("GIT_OBJECT_DIRECTORY", self.objects)))
        self._commits: dict[Sha, Commit] = {}
        self._listing: tuple[float, dict[str, Sha]] | None = None

    @classmethod
    def open(cls, directory: Path) -> Repository:
        """Open a git directory that is ours, or the one in a checkout of ours: its configuration is in effect.

        See `bot.git.untrusted_repository` for others. Raises GitError if there is no repository.
        """
        return cls(open_repo(directory))

    def _own_objects(self) -> Git:
        """Return git without the remote as a promisor: what this lacks is asked for in one request, not one by one."""
        if self.partial is None:
            return self.git
        variables = {name: value for name, value in self.git.variables.items() if not name.startswith("GIT_CONFIG_")}
        return Git(self.git.directory, variables=variables, secrets=self.git.secrets, is_mirror=self.git.is_mirror)

    # --- the remote ---------------------------------------------------------------------------------------------------

    def follow(self, url: str) -> None:
        """Reach the remote at its new address from now on, as it was renamed."""
        if url != self.connection.url:
            self.git.run("config", f"remote.{self.connection.name}.url", url)
            self.connection.url = url

    def branches(self) -> dict[str, Sha]:
        """Ask the remote for its branches and their tips."""
        self._listing = None
        tips = remote.list_branches(self)
        self._listing = (time.monotonic(), tips)
        return tips

    def recent_branches(self) -> dict[str, Sha]:
        """Return the remote's branches and their tips as they were at most a minute ago."""
        if self._listing is not None and time.monotonic() - self._listing[0] < _RECENT:
            return self._listing[1]
        return self.branches()

    def remote_head(self) -> tuple[str, Sha | None]:
        """Ask the remote for the name and the tip of its default branch; the tip is None if the remote is empty."""
        return remote.read_head(self)

    def fetch(self, names: Iterable[str]) -> None:
        """Bring commits (by object name) or refs (by refspec) here, with their history."""
        remote.fetch(self, names)

    def compare(self, first: Sha, second: Sha) -> None:
        """Bring the commits that two commits have apart, where history is partial.

        Questions about these two are answered from them then; without them the whole history is fetched.
        """
        if self.partial is not None and self.partial.is_partial:
            self.partial.diverge(first, second)

    def make_whole(self) -> None:
        """Fetch everything that a partial mirror left out, and leave nothing out from now on.

        Picks between repositories need it: an object may be missing of either.
        """
        if self.partial is not None and self.partial.is_partial:
            self.partial.fetch_whole([], "The rest of the mirror could not be fetched")
            self.close()

    @property
    def seconds_fetching(self) -> float:
        """The seconds that a partial mirror has spent on fetching what it lacked."""
        return self.partial.seconds if self.partial is not None else 0.0

    def push(self, commit: Sha, branch: str, *, expected: Sha | None) -> None:
        """Put a commit on a remote branch that is at `expected`, or must not exist when that is None."""
        remote.push(self, commit, branch, expected=expected)

    def delete_branch(self, branch: str, *, expected: Sha) -> None:
        """Remove a branch of the remote if it is at `expected`."""
        remote.delete_branch(self, branch, expected=expected)

    # --- objects ------------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> Sha | None:
        """Return the commit that a name means here, or None."""
        # Not GitPython's `rev_parse`, which takes no process but knows only some forms of a name.
        if self.partial is not None:
            self.partial.require_history(("rev-parse", name))
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        # git would ask the remote for any name that looks like a commit's.
        result = self._own_objects().attempt(*words, ready=True)
        return Sha(result.stdout.decode().strip()) if result.code == 0 else None

    def contains(self, sha: Sha) -> bool:
        """Say whether the object is here. Its history may not be."""
        return self.kind(sha) is not None

    def kind(self, sha: Sha) -> str | None:
        """Return "commit", "tree", "blob" or "tag", or None if there is no such object."""
        entry = self.reader.read(sha)
        return entry[0] if entry else None

    def commit(self, sha: Sha) -> Commit:
        """Read a commit.

        Raises:
            GitError: there is no such commit here.
        """
        commit = self._commits.get(sha)
        if commit is None:
            entry = self.reader.read(sha)
            if entry is None and self.partial is not None:
                self.partial.bring_commits([sha])
                entry = self.reader.read(sha)
            if entry is None or entry[0] != "commit":
                raise self.git.lacks(f"commit {sha}")
            if len(self._commits) >= _COMMITS_LIMIT:
                self._commits.clear()
            commit = self._commits[sha] = parse_commit(sha, entry[2])
        return commit

    def read(self, commit: Sha, path: str) -> bytes | None:
        """Return a file's bytes (of a link: where it points to), or None if the commit has no such file."""
        return self.read_all([(commit, path)])[0]

    def read_all(self, places: Iterable[tuple[Sha, str]]) -> list[bytes | None]:
        """Return the same of several files, each given as commit or tree and path."""
        place_list = list(places)
        fetch_ahead.files(self, place_list)
        answers = self.reader.read_many([f"{commit}:{path}" for commit, path in place_list])
        return [entry[2] if entry and entry[0] == "blob" else None for entry in answers]

    def read_blob(self, sha: Sha) -> bytes:
        """Return the bytes of a blob.

        Raises:
            GitError: there is no such blob here.
        """
        entry = self.reader.read(sha)
        if entry is None and self.partial is not None:
            self.partial.bring([sha])
            entry = self.reader.read(sha)
        if entry is None:
            raise self.git.lacks(f"object {sha}")
        return entry[2]

    def tree_of(self, name: Sha) -> Sha | None:
        """Return the tree of a commit, or a tree itself; None if the name is neither's."""
        if name in self._commits:
            return self._commits[name].tree
        entry = self.reader.read(name)
        if entry is not None and entry[0] == "commit":
            return self.commit(name).tree
        # A tree that is not here yet is fetched by what reads it.
        return None if entry is not None and entry[0] != "tree" else name

    def paths(self, commit: Sha) -> Iterator[str]:
        """Yield the path of every file in a commit."""
        return (path for path, entry in trees.list_files(self, commit) if entry.mode != SUBMODULE)

    def export(self, commit: Sha, directory: Path, paths: Sequence[str] = ()) -> None:
        """Write a commit's files below a directory, without a repository."""
        export.export(self, commit, directory, paths)

    def write_commit(
        self,
        base: Sha,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        author: Signature,
        committer: Signature,
    ) -> Sha:
        """Write the commit on top of `base` in which these files have these contents; None removes a file.

        No ref comes to point at it.
        """
        new_tree = trees.changed_files(self, self.commit(base).tree, changes)
        return self.writer.write_commit(new_tree, (base,), message, author, committer)

    @contextmanager
    def quarantine(self) -> Iterator[Quarantine]:
        """Yield this repository with a directory for throw-away objects, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="backport-objects-", ignore_cleanup_errors=True) as scratch:
            inner = Quarantine(self, Path(scratch))
            try:
                yield inner
            finally:
                inner.close()
                if self.partial is not None and (inner.scratch / "pack").exists():
                    self.partial.adopt(inner.scratch)

    # --- history ------------------------------------------------------------------------------------------------------

    def merge_base(self, first: Sha, second: Sha) -> Sha | None:
        """Return a best common ancestor, or None if the histories do not meet (as far as they are here)."""
        result = self.git.attempt("merge-base", first, second)
        return Sha(result.stdout.decode().strip()) if result.code == 0 else None

    def is_ancestor(self, ancestor: Sha, descendant: Sha) -> bool:
        """Say whether a commit is in the history of another (or is it)."""
        return self.git.attempt("merge-base", "--is-ancestor", ancestor, descendant).code == 0

    def commits_between(self, base: Sha, tip: Sha) -> tuple[Commit, ...]:
        """Return the commits that `tip` has and `base` lacks, oldest first."""
        names = self.git.text("rev-list", "--reverse", "--topo-order", tip, f"^{base}").split()
        return tuple(self.commit(Sha(sha)) for sha in names)

    def changed_paths(self, old: Sha, new: Sha) -> tuple[str, ...]:
        """Return the paths in which two commits or trees differ; a rename is both its paths."""
        sides = [self.commit(name).tree if self.kind(name) == "commit" else name for name in (old, new)]
        fetch_ahead.trees(self, sides)
        return tuple(trees.differing_paths(self, *sides))

    def local_branches(self) -> dict[str, Sha]:
        """Return the branches that are here, local and remote-tracking ones, without asking the remote."""
        # GitPython's `heads` read the commit of each branch: three times as long for 50 branches.
        output = self.git.text("for-each-ref", "--format=%(objectname) %(refname)", *_NAMESPACES)
        pairs = (line.split(" ", 1) for line in output.splitlines())
        return {_branch_of(ref): Sha(sha) for sha, ref in pairs}

    def default_branch(self) -> str:
        """Return the branch that a clone would check out: the remote's, as far as it is known here, or our own HEAD."""
        for name in (f"refs/remotes/{REMOTE}/HEAD", "HEAD"):
            try:
                return _branch_of(SymbolicReference(self.repo, name).reference.path)
            except (TypeError, ValueError):  # it names a commit, or there is none
                continue
        return "main"

    def close(self) -> None:
        """End the reading process, which may not see objects that came in later; a later read starts another."""
        self.reader.close()
        if self.partial is not None:
            self.partial.close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _branch_of(ref: str | PathLike[str]) -> str:
    return str(ref).removeprefix(_NAMESPACES[0]).removeprefix(_NAMESPACES[1])


class Quarantine(Repository):
    """A repository whose new objects are thrown away unless they are kept."""

    def __init__(self, outer: Repository, scratch: Path) -> None:
        variables = quarantine_variables(scratch, outer.writer.objects, outer.git.variables)
        super().__init__(outer.repo.with_variables(variables), outer.connection, outer.partial)
        # Objects never change, so what was read around it need not be read again.
        self._commits = outer._commits
        bring = self.partial.bring if self.partial else None
        self.tree_cache = TreeCache(self.reader, outer.tree_cache, bring=bring)
        self.scratch = scratch
        self._outer = outer.writer.objects
        self._branches: dict[str, Sha] | None = None

    def local_branches(self) -> dict[str, Sha]:
        """Return the branches as they were at the first call: a quarantine lasts for a moment."""
        if self._branches is None:
            self._branches = super().local_branches()
        return self._branches

    def keep(self, commit: Sha) -> None:
        """Copy a commit and all it needs into the repository, or the quarantine, around this one."""
        promote(self.reader, self.scratch, self._outer, commit)

    def index_history(self) -> None:
        """Make questions about history quick (a commit-graph), for many picks on a repository that is not ours.

        Takes about a second for 50,000 commits. The repository itself is left as it is.
        """
        self.git.run("commit-graph", "write", "--reachable", "--no-progress")
