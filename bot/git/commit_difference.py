"""Gets from a remote exactly the commits that some tips have and others have not, without trees.

The remote finds them: it is told that the others are here with all their history, as any fetch tells it of what is here
(https://git-scm.com/docs/pack-protocol#_packfile_negotiation). They are not, so this happens in a git directory of its
own, in which they have no parents (https://git-scm.com/docs/git-replace).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import FetchFailed
from bot.git.connection import Answer, retry
from bot.git.object_source import FETCH, NO_TREES, ObjectSource
from bot.git.objects import EMPTY_TREE, ObjectReader, ObjectWriter, parse_commit
from bot.git.open import create_repo
from bot.git.process import Git
from bot.models import Sha, Signature

# git fetches nothing if the tips are here, unless history is to be deepened; this depth leaves nothing out.
# https://github.com/git/git/blob/v2.39.5/shallow.h (INFINITE_DEPTH)
_ALL = "--depth=2147483647"
_ACKNOWLEDGED = re.compile(r"< ACK ([0-9a-f]{40})")
_NOBODY = Signature("nobody", "nobody", "0 +0000")


@dataclass(frozen=True, slots=True)
class FetchedCommits:
    """The commits that the tips have and the others have not, with their parents, in an objects directory for now."""

    parents: Mapping[Sha, tuple[Sha, ...]]
    objects: Path

    @property
    def shared(self) -> frozenset[Sha]:
        """The parents that are not among them: they are the others or ancestors of theirs."""
        return frozenset(
            parent for parents in self.parents.values() for parent in parents if parent not in self.parents
        )


@contextmanager
def fetch_difference(
    source: ObjectSource, tips: Collection[Sha], others: Collection[Sha]
) -> Iterator[FetchedCommits | None]:
    """Yield what the tips have and the others have not, for as long as the block lasts; all of these are here.

    Yields None if the remote does not say. Raises FetchFailed if it could not be asked.
    """
    with tempfile.TemporaryDirectory(prefix="difference-", dir=source.git.directory) as scratch:
        git = create_repo(Path(scratch)).git
        pack = _pretend(source, git, tips, others)
        acknowledged = _fetch(source, git, tips)
        # Of one that the remote does not know it cannot leave out the ancestors.
        if acknowledged is None or not acknowledged.issuperset(others):
            yield None
            return
        for file in (git.directory / "objects" / "pack").glob(f"pack-{pack}.*"):
            file.unlink()
        yield FetchedCommits(_read_parents(git), git.directory / "objects")


def _pretend(source: ObjectSource, git: Git, tips: Collection[Sha], others: Collection[Sha]) -> str:
    """Put the commits themselves into a pack, and say that the others are here and have no parents.

    Returns the name of the pack, without which git would ask the remote what lies before the others.
    """
    objects = git.directory / "objects"
    names = "".join(f"{sha}\n" for sha in {*tips, *others}).encode()
    pack = source.git.text("pack-objects", "--quiet", str(objects / "pack" / "pack"), stdin=names)
    # What a promisor gave may lack its parents: https://git-scm.com/docs/partial-clone.
    (objects / "pack" / f"pack-{pack}.promisor").touch()
    parentless = ObjectWriter(objects).write_commit(EMPTY_TREE, (), "", _NOBODY, _NOBODY)
    updates = [f"create refs/have/{sha} {sha}\ncreate refs/replace/{sha} {parentless}\n" for sha in set(others)]
    git.run("update-ref", "--stdin", stdin="".join(updates).encode())
    return pack


def _fetch(source: ObjectSource, git: Git, tips: Collection[Sha]) -> set[Sha] | None:
    """Fetch the tips; return those of what is here that the remote has, too, or None if it refuses.

    Raises FetchFailed if it could not be asked.
    """
    packets = git.directory / "packets"
    variables = {**source.variables(), "GIT_TRACE_PACKET": str(packets), "GIT_NO_REPLACE_OBJECTS": ""}
    # The remote is configured there.
    settings = ("-c", f"include.path={source.git.directory.resolve() / 'config'}")
    command = (*settings, *FETCH, "--negotiation-tip=refs/have/*", _ALL, NO_TREES, source.connection.name, "--stdin")
    refspecs = "".join(f"+{sha}:refs/want/{sha}\n" for sha in tips).encode()
    before = _size(git)
    with source.timed("fetch", objects=len(tips), what=f"{NO_TREES}, what others lack") as this:
        answer = retry(lambda: Answer(git.attempt(*command, stdin=refspecs, variables=variables)))
        this.attributes["bytes"] = _size(git) - before
    if answer.is_lost:
        raise git.error(answer.result, "The commits of the branches could not be fetched", FetchFailed)
    if answer.result.code or not packets.exists():
        return None
    return set(map(Sha, _ACKNOWLEDGED.findall(packets.read_text(encoding="utf-8", errors="replace"))))


def _size(git: Git) -> int:
    return sum(pack.stat().st_size for pack in (git.directory / "objects" / "pack").glob("*.pack"))


def _read_parents(git: Git) -> dict[Sha, tuple[Sha, ...]]:
    names: list[Sha] = []
    for index in (git.directory / "objects" / "pack").glob("*.idx"):
        names += [Sha(line.split()[1]) for line in git.text("show-index", stdin=index.read_bytes()).splitlines()]
    reader = ObjectReader(git)
    try:
        answers = reader.read_many(names)
    finally:
        reader.close()
    return {sha: parse_commit(sha, answer[2]).parents for sha, answer in zip(names, answers, strict=True) if answer}
