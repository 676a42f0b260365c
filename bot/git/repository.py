"""A repository on disk: the door to git.

Owns the handle that the rooms pass around. What git knows is asked here; objects, trees, the remote and exports have
modules of their own, and picking is built on top. No worktree is ever made or touched.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import GitError
from bot.git import export, remote, trees
from bot.git.environment import authorization
from bot.git.objects import SUBMODULE, ObjectReader, ObjectWriter, parse_commit
from bot.git.process import Git
from bot.git.quarantine import promote, quarantine_variables
from bot.git.tree_cache import Directories
from bot.models import Commit, Sha, Signature

Token = str | Callable[[], str]

# About 2 kB each.
_MOST_COMMITS = 10_000


@dataclass(slots=True)
class _Address:
    """Where the remote of a mirror is: git sends the token to that address alone."""

    url: str = ""


class Repository:
    """One git directory, bare or not. Reading is safe from several threads."""

    def __init__(self, git: Git, objects: Path, *, authorize: Callable[[], Mapping[str, str]] = dict) -> None:
        self.git = git
        self.remote = remote.REMOTE
        self.objects = objects
        self.authorize = authorize
        self.reader = ObjectReader(git)
        self.directories = Directories(self.reader)
        self.writer = ObjectWriter(Path(git.variables.get("GIT_OBJECT_DIRECTORY", objects)))
        self._commits: dict[Sha, Commit] = {}
        self._address = _Address()

    @classmethod
    def open(cls, directory: Path) -> Repository:
        """Open a git directory that is ours, or the one in a checkout of ours: its configuration is in effect.

        See `bot.git.untrusted_repository` for others. Raises GitError where there is no repository.
        """
        if (directory / ".git").is_dir():
            directory /= ".git"
        if not (directory / "HEAD").exists():
            raise GitError(f"There is no git repository at {directory}.", hint="Give a git directory.")
        git = Git(directory=directory.resolve())
        objects = Path(git.text("rev-parse", "--git-path", "objects"))
        return cls(git, objects if objects.is_absolute() else Path.cwd() / objects)

    @classmethod
    def mirror(
        cls, url: str, directory: Path, *, token: Token | None = None, remote: str = remote.REMOTE
    ) -> Repository:
        """Find or create the bare repository that mirrors a remote. Fetches nothing yet.

        A token that ends by itself is given as a function, which is asked whenever git talks to the remote.

        Raises:
            GitError: the directory cannot be used, or the URL holds credentials.
        """
        if "@" in url.partition("://")[2].partition("/")[0] and url.startswith("http"):
            raise GitError("The URL of a remote must not hold credentials.", hint="Give the token by itself.")
        secrets = (token,) if isinstance(token, str) else ()
        git = Git(directory=directory, secrets=secrets)
        if not (directory / "HEAD").exists():
            directory.mkdir(parents=True, exist_ok=True)
            git.run("init", "--quiet", "--bare", "--template=")
        git.run("config", f"remote.{remote}.url", url)
        address = _Address(url)

        def authorize() -> Mapping[str, str]:
            current = token() if callable(token) else token
            return authorization(address.url, current) if current else {}

        if git.attempt("config", "--get", "extensions.partialClone").code == 0:
            # In a partial clone any git process may have to ask the remote for an object.
            git = Git(directory=directory, variables=authorize(), secrets=secrets)
        repository = cls(git, directory / "objects", authorize=authorize)
        repository._address = address
        return repository

    # --- the remote ---------------------------------------------------------------------------------------------------

    def beside(self, name: str, url: str, *, token: Token) -> Repository:
        """Return this mirror with another remote, under a name of its own: the objects are the same."""
        # Two names may be written alike; two addresses are never one remote.
        remote_name = f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        other = Repository.mirror(url, self.git.directory, token=token, remote=remote_name)
        other.remote = remote_name
        return other

    def follow(self, url: str) -> None:
        """Reach the remote at its new address from now on, as it was renamed."""
        if url != self._address.url:
            self.git.run("config", f"remote.{self.remote}.url", url)
            self._address.url = url

    def branches(self) -> dict[str, Sha]:
        """Ask the remote for its branches and their tips."""
        return remote.list_branches(self)

    def fetch(self, wanted: Iterable[str]) -> None:
        """Bring commits (by object name) or refs (by refspec) here, with their history."""
        remote.fetch(self, wanted)

    def push(self, commit: Sha, branch: str, *, expected: Sha | None) -> None:
        """Put a commit on a remote branch that is at `expected`, or must not exist when that is None."""
        remote.push(self, commit, branch, expected=expected)

    def delete_branch(self, branch: str, *, expected: Sha) -> None:
        """Remove a branch of the remote if it is at `expected`."""
        remote.delete_branch(self, branch, expected=expected)

    # --- objects ------------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> Sha | None:
        """Return the commit that a name means here, or None."""
        done = self.git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return Sha(done.stdout.decode().strip()) if done.code == 0 else None

    def contains(self, sha: Sha) -> bool:
        """Say whether the object is here. Its history may not be."""
        return self.kind(sha) is not None

    def kind(self, sha: Sha) -> str | None:
        """Return "commit", "tree", "blob" or "tag", or None where there is no such object."""
        found = self.reader.read(sha)
        return found[0] if found else None

    def commit(self, sha: Sha) -> Commit:
        """Read a commit.

        Raises:
            GitError: there is no such commit here.
        """
        commit = self._commits.get(sha)
        if commit is None:
            found = self.reader.read(sha)
            if found is None or found[0] != "commit":
                raise GitError(f"There is no commit {sha} in {self.git.directory}.", hint="Fetch it first.")
            if len(self._commits) >= _MOST_COMMITS:
                self._commits.clear()
            commit = self._commits[sha] = parse_commit(sha, found[2])
        return commit

    def read(self, commit: Sha, path: str) -> bytes | None:
        """Return a file's bytes (of a link: where it points to), or None where the commit has no such file."""
        found = self.reader.read(f"{commit}:{path}")
        return found[2] if found and found[0] == "blob" else None

    def read_all(self, wanted: Iterable[tuple[Sha, str]]) -> list[bytes | None]:
        """Return the same of several files, each given as commit or tree and path."""
        answers = self.reader.read_many([f"{commit}:{path}" for commit, path in wanted])
        return [found[2] if found and found[0] == "blob" else None for found in answers]

    def read_blob(self, sha: Sha) -> bytes:
        """Return the bytes of a blob.

        Raises:
            GitError: there is no such blob here.
        """
        found = self.reader.read(sha)
        if found is None:
            raise GitError(f"There is no object {sha} in {self.git.directory}.", hint="Fetch the commit that holds it.")
        return found[2]

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
        written = trees.changed_files(self, self.commit(base).tree, changes)
        return self.writer.write_commit(written, (base,), message, author, committer)

    @contextmanager
    def quarantined(self) -> Iterator[Quarantined]:
        """Yield this repository with a place for throw-away objects, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="backport-objects-", ignore_cleanup_errors=True) as scratch:
            inner = Quarantined(self, Path(scratch))
            try:
                yield inner
            finally:
                inner.close()

    # --- history ------------------------------------------------------------------------------------------------------

    def merge_base(self, one: Sha, other: Sha) -> Sha | None:
        """Return a best common ancestor, or None where the histories do not meet (here)."""
        done = self.git.attempt("merge-base", one, other)
        return Sha(done.stdout.decode().strip()) if done.code == 0 else None

    def is_ancestor(self, ancestor: Sha, descendant: Sha) -> bool:
        """Say whether a commit is in the history of another (or is it)."""
        return self.git.attempt("merge-base", "--is-ancestor", ancestor, descendant).code == 0

    def commits_between(self, excluded: Sha, tip: Sha) -> tuple[Commit, ...]:
        """Return the commits that `tip` has and `excluded` has not, oldest first."""
        listed = self.git.text("rev-list", "--reverse", "--topo-order", tip, f"^{excluded}").split()
        return tuple(self.commit(Sha(sha)) for sha in listed)

    def changed_paths(self, old: Sha, new: Sha) -> tuple[str, ...]:
        """Return the paths in which two commits or trees differ; a rename is both its paths."""
        both = [self.commit(name).tree if self.kind(name) == "commit" else name for name in (old, new)]
        return tuple(trees.differing_paths(self, *both))

    def known_branches(self) -> dict[str, Sha]:
        """Return the branches that are here, local and of the remote, without asking it."""
        listed = self.git.text(
            "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/", f"refs/remotes/{remote.REMOTE}/"
        )
        pairs = (line.split(" ", 1) for line in listed.splitlines())
        return {
            ref.removeprefix("refs/heads/").removeprefix(f"refs/remotes/{remote.REMOTE}/"): Sha(sha)
            for sha, ref in pairs
        }

    def default_branch(self) -> str:
        """Return the branch that a clone would check out: the remote's, as far as it is known here, or our own HEAD."""
        for ref in (f"refs/remotes/{remote.REMOTE}/HEAD", "HEAD"):
            done = self.git.attempt("symbolic-ref", "--quiet", ref)
            if done.code == 0:
                named = done.stdout.decode().strip()
                return named.removeprefix("refs/heads/").removeprefix(f"refs/remotes/{remote.REMOTE}/")
        return "main"

    def forget(self) -> None:
        """Forget what was found missing; used after objects have come in."""
        self.reader.close()

    def close(self) -> None:
        """End the processes that were kept running; the repository can still be used and starts them anew."""
        self.reader.close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Quarantined(Repository):
    """A repository whose new objects are thrown away unless they are kept."""

    def __init__(self, outer: Repository, scratch: Path) -> None:
        own = quarantine_variables(scratch, outer.writer.objects, outer.git.variables)
        git = Git(directory=outer.git.directory, variables={**outer.git.variables, **own}, secrets=outer.git.secrets)
        super().__init__(git, outer.objects, authorize=outer.authorize)
        # Objects never change, so what was read around it need not be read again.
        self._commits = outer._commits
        self.directories = Directories(self.reader, outer.directories)
        self.scratch = scratch
        self._outer = outer.writer.objects
        self._branches: dict[str, Sha] | None = None

    def known_branches(self) -> dict[str, Sha]:
        """Return the branches as they were when this was first asked: a quarantine lasts for a moment."""
        if self._branches is None:
            self._branches = super().known_branches()
        return self._branches

    def keep(self, commit: Sha) -> None:
        """Copy a commit and all it needs into what is around this quarantine: the repository, or another one."""
        promote(self.reader, self.scratch, self._outer, commit)

    def index_history(self) -> None:
        """Make questions about history quick (a commit-graph), for many picks on a repository that is not ours.

        Takes about a second for 50,000 commits. The repository itself is left as it is.
        """
        self.git.run("commit-graph", "write", "--reachable", "--no-progress")
