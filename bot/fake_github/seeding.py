"""History that a fake GitHub starts with: merged pull requests, issues, comments, review threads.

The records are written as if they had happened. No event is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import BackportError
from bot.fake_github.accounts import now
from bot.fake_github.conversation import Comment, Issue, IssueEvent, Pull, ReviewThread
from bot.fake_github.events import renamed_event
from bot.fake_github.git_store import GitStore
from bot.fake_github.github_state import World
from bot.fake_github.pull_requests import open_pull
from bot.fake_github.repository_records import Repository


class HistorySeeder:
    """The part of a fake GitHub that writes history. People whom it names are made where they are missing."""

    world: World

    def rename_repository(self, full_name: str, new_name: str) -> None:
        """Rename a repository, or move it to another owner; both names are owner/name."""
        with self.world.lock:
            repository = self._repository(full_name)
            old_name = repository.name
            self.world.rename(repository, new_name)
            if repository.name != old_name:
                renamed_event(self.world, repository, old_name)

    def rename_default_branch(self, full_name: str, new_name: str) -> None:
        """Rename the default branch, as its owner would on the page of branches."""
        with self.world.lock:
            repository = self._repository(full_name)
            repository.git.run("branch", "--move", repository.default_branch, new_name)
            repository.default_branch = new_name

    def _repository(self, full_name: str) -> Repository:
        repository = self.world.repositories.get(full_name.lower())
        if repository is None:
            raise BackportError(f"The fake GitHub has no repository {full_name}.", hint="Call create_repository first.")
        return repository

    def _issue(self, repository: str, number: int) -> Issue:
        issue = self._repository(repository).issues.get(number)
        if issue is None:
            raise BackportError(f"The fake GitHub has no {repository}#{number}.", hint="Seed or open it first.")
        return issue

    def seed_issue(
        self,
        repository: str,
        *,
        title: str,
        author: str,
        number: int | None = None,
        body: str = "",
        labels: Sequence[str] = (),
    ) -> int:
        """Write an issue and return its number; later ones continue after the highest."""
        with self.world.lock:
            record, time = self._repository(repository), now()
            number = number or self.world.next_number(record)
            if number in record.issues:
                raise BackportError(f"{repository}#{number} is there already.", hint="Seed it with another number.")
            record.issues[number] = Issue(
                id=self.world.next_id(),
                number=number,
                title=title,
                body=body,
                user=self.world.ensure_user(author),
                created_at=time,
                updated_at=time,
                labels=[self.world.label(record, label) for label in labels],
            )
            return number

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
        labels: Sequence[str] = (),
    ) -> int:
        """Write a pull request and return its number. `head` is a branch, or owner:branch of a fork.

        A merged one has `merge_commit_sha`, or the commit where the base branch stands. Without `head_sha` the head is
        the branch's tip, the second parent of the merge commit or the merge commit itself: a squashed head is usually
        gone.
        """
        with self.world.lock:
            record, merge = self._repository(repository), None
            if merged:
                merge = _require(record.git, merge_commit_sha or record.git.branch(base), "the base branch")
            pull = self._pull(record, head=head, head_sha=head_sha, base=base, merge=merge)
            number = self.seed_issue(repository, number=number, title=title, body=body, author=author, labels=labels)
            issue = record.issues[number]
            open_pull(record, issue, pull)
            if merge:
                self._merge(issue, pull, merge, by=merged_by or author)
            return number

    def _pull(self, repository: Repository, *, head: str, head_sha: str | None, base: str, merge: str | None) -> Pull:
        git = repository.git
        owner, _, branch = head.rpartition(":")
        owner = owner or repository.owner.login
        source = self.world.repository(owner, repository.name)
        source_tip = source.git.branch(branch) if source else None
        parents = git.commit(merge).parents if merge else ()
        tip = head_sha or source_tip or (parents[1] if len(parents) > 1 else merge)
        self.world.ensure_user(owner)
        return Pull(
            id=self.world.next_id(),
            base=base,
            base_sha=parents[0] if parents else _require(git, git.branch(base), "the base branch"),
            head=branch,
            head_sha=_require(source.git if source and source_tip == tip else git, tip, "the head branch"),
            head_repository=source if source_tip else None,
            head_owner=owner,
            merged_at=now() if merge else None,
        )

    def _merge(self, issue: Issue, pull: Pull, sha: str, *, by: str) -> None:
        merger, time = self.world.ensure_user(by), issue.created_at
        pull.merge_commit, pull.merged_by, pull.merged_at = sha, merger, time
        issue.state, issue.closed_by, issue.closed_at = "closed", merger, time
        event = IssueEvent(id=self.world.next_id(), event="merged", actor=merger, created_at=time, commit_id=sha)
        issue.events.append(event)

    def seed_comment(
        self, repository: str, number: int, *, author: str, body: str, created_at: datetime | None = None
    ) -> int:
        """Write a comment and return its id."""
        with self.world.lock:
            time, user = created_at or now(), self.world.ensure_user(author)
            comment = Comment(id=self.world.next_id(), user=user, body=body, created_at=time, updated_at=time)
            self._issue(repository, number).comments.append(comment)
            return comment.id

    def seed_review_thread(
        self, repository: str, number: int, *, author: str, path: str, line: int, body: str, resolved: bool = False
    ) -> None:
        """Write a review thread of one comment on a pull request; its author may have resolved it."""
        with self.world.lock:
            pull, user = self._issue(repository, number).pull, self.world.ensure_user(author)
            if pull is None:
                raise BackportError(f"{repository}#{number} is no pull request.", hint="Seed the thread on one.")
            thread = ReviewThread(
                id=self.world.next_id(),
                user=user,
                body=body,
                created_at=now(),
                path=path,
                line=line,
                resolver=user if resolved else None,
            )
            pull.review_threads.append(thread)


def _require(git: GitStore, name: str | None, role: str) -> str:
    sha = git.resolve(name) if name else None
    if sha is None:
        raise BackportError(
            f"The repository has no commit {name or f'for {role}'}, so no pull request can have it.",
            hint="Push the commit first, or give head_sha or merge_commit_sha of one that is there.",
        )
    return sha
