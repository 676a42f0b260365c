"""History that a fake GitHub starts with: merged pull requests, issues, comments, review threads.

Owns writing records as if they had happened. Emits no event: what is seeded is the past.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import BackportError
from bot.fake_github.accounts import now
from bot.fake_github.conversation import Comment, Issue, IssueEvent, Pull
from bot.fake_github.git_store import GitStore
from bot.fake_github.pull_requests import open_pull
from bot.fake_github.rest.reviews import add_review_comment
from bot.fake_github.state import Repository
from bot.fake_github.world import World


class Past:
    """The part of a fake GitHub that writes history. People whom it names are made where they are missing."""

    world: World

    def rename_repository(self, full_name: str, new_name: str) -> None:
        """Rename a repository, or move it to another owner; both names are owner/name."""
        with self.world.lock:
            self.world.rename(self._repository(full_name), new_name)

    def rename_default_branch(self, full_name: str, new_name: str) -> None:
        """Rename the default branch, as its owner would on the page of branches."""
        with self.world.lock:
            repository = self._repository(full_name)
            repository.git.run("branch", "--move", repository.default_branch, new_name)
            repository.default_branch = new_name

    def _repository(self, full_name: str) -> Repository:
        found = self.world.repositories.get(full_name.lower())
        if found is None:
            raise BackportError(f"The fake GitHub has no repository {full_name}.", hint="Call create_repository first.")
        return found

    def _issue(self, repository: str, number: int) -> Issue:
        found = self._repository(repository).issues.get(number)
        if found is None:
            raise BackportError(f"The fake GitHub has no {repository}#{number}.", hint="Seed or open it first.")
        return found

    def seed_issue(
        self,
        repository: str,
        *,
        title: str,
        author: str,
        number: int | None = None,
        body: str = "",
        labels: Sequence[str] = (),
        created_at: datetime | None = None,
    ) -> int:
        """Write an issue and return its number; later ones continue after the highest."""
        with self.world.lock:
            here, made = self._repository(repository), created_at or now()
            chosen = number or self.world.next_number(here)
            if chosen in here.issues:
                raise BackportError(f"{repository}#{chosen} is there already.", hint="Seed it with another number.")
            here.issues[chosen] = Issue(
                id=self.world.next_id(),
                number=chosen,
                title=title,
                body=body,
                user=self.world.ensure_user(author),
                created_at=made,
                updated_at=made,
                labels=[self.world.label(here, label) for label in labels],
            )
            return chosen

    def seed_pull_request(  # noqa: PLR0913 - a caller names what it cares for
        self,
        repository: str,
        *,
        title: str,
        author: str,
        head: str,
        base: str = "main",
        number: int | None = None,
        body: str = "",
        head_sha: str | None = None,
        merged: bool = True,
        merge_commit_sha: str | None = None,
        merged_by: str | None = None,
        created_at: datetime | None = None,
        merged_at: datetime | None = None,
        labels: Sequence[str] = (),
        commits: int | None = None,
    ) -> int:
        """Write a pull request and return its number. `head` is a branch, or owner:branch of a fork.

        A merged one has `merge_commit_sha`, or the commit where the base branch stands. `commits` is the count to show
        where the head commits are not in the repository. Where `head_sha` is not known, the head is the branch's tip,
        the second parent of the merge commit or the merge commit itself: a squashed head is usually gone.
        """
        with self.world.lock:
            here = self._repository(repository)
            merge = _known(here.git, merge_commit_sha or here.git.branch(base), "the base branch") if merged else None
            pull = self._pull(here, head=head, head_sha=head_sha, base=base, merge=merge)
            chosen = self.seed_issue(
                repository, number=number, title=title, body=body, author=author, labels=labels, created_at=created_at
            )
            issue, pull.commit_count = here.issues[chosen], commits
            open_pull(here, issue, pull)
            if merge:
                self._merge(issue, pull, merge, by=merged_by or author, at=merged_at or issue.created_at)
            return chosen

    def _pull(self, here: Repository, *, head: str, head_sha: str | None, base: str, merge: str | None) -> Pull:
        owner, _, branch = head.rpartition(":")
        owner = owner or here.owner.login
        source = self.world.repository(owner, here.name)
        there = source.git.branch(branch) if source else None
        parents = here.git.commit(merge).parents if merge else ()
        tip = head_sha or there or (parents[1] if len(parents) > 1 else merge)
        self.world.ensure_user(owner)
        return Pull(
            id=self.world.next_id(),
            base=base,
            base_sha=parents[0] if parents else _known(here.git, here.git.branch(base), "the base branch"),
            head=branch,
            head_sha=_known(source.git if source and there == tip else here.git, tip, "the head branch"),
            head_repository=source if there else None,
            head_owner=owner,
            merged_at=now() if merge else None,
        )

    def _merge(self, issue: Issue, pull: Pull, sha: str, *, by: str, at: datetime) -> None:
        merger = self.world.ensure_user(by)
        pull.merge_commit, pull.merged_by, pull.merged_at = sha, merger, at
        issue.state, issue.closed_by, issue.closed_at = "closed", merger, at
        event = IssueEvent(id=self.world.next_id(), event="merged", actor=merger, created_at=at, commit_id=sha)
        issue.events.append(event)

    def seed_comment(
        self, repository: str, number: int, *, author: str, body: str, created_at: datetime | None = None
    ) -> int:
        """Write a comment and return its id."""
        with self.world.lock:
            made, user = created_at or now(), self.world.ensure_user(author)
            comment = Comment(id=self.world.next_id(), user=user, body=body, created_at=made, updated_at=made)
            self._issue(repository, number).comments.append(comment)
            return comment.id

    def seed_review_thread(
        self, repository: str, number: int, *, author: str, path: str, line: int, body: str, resolved: bool = False
    ) -> int:
        """Write a review thread of one comment and return the comment's id."""
        with self.world.lock:
            issue, user = self._issue(repository, number), self.world.ensure_user(author)
            comment = add_review_comment(self.world, issue, user, body, path, line)
            if resolved and issue.pull:
                issue.pull.resolved_threads[comment.id] = user
            return comment.id


def _known(git: GitStore, sha: str | None, meant: str) -> str:
    found = git.resolve(sha) if sha else None
    if found is None:
        raise BackportError(
            f"The repository has no commit {sha or f'for {meant}'}, so no pull request can have it.",
            hint="Push the commit first, or give head_sha or merge_commit_sha of one that is there.",
        )
    return found
