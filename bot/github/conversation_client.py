"""The client for comments, reactions and issues."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.errors import NotFound
from bot.github.conversation import last_label_event, list_comments, pull_requests_since, was_edited
from bot.github.conversation_queries import COMMENTS, pull_selection, read_comments, read_pull
from bot.github.lazy_objects import lazy_issue
from bot.github.own_comments import OwnComments
from bot.github.protocol import Reaction
from bot.github.pull_requests import read_pull as rest_pull
from bot.github.reactions import add_reaction, remove_reaction
from bot.github.retrying_caller import sendable
from bot.github.session import GitHubSession
from bot.github.translate_errors import translate_errors
from bot.models import Comment, Conversation, LabelEvent
from bot.text.logins import same_login

log = logging.getLogger(__name__)


class ConversationClient(GitHubSession):
    """Reads and writes comments, reactions and the bot's issues."""

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the whole conversation of a pull request, oldest first."""

        def query() -> tuple[Comment, ...]:
            return self._note_comments(number, self._queries.read(COMMENTS.of(number)))

        return self._by_query_or_rest(f"read the comments of #{number}", query, lambda: self._rest_comments(number))

    def conversation(self, number: int) -> Conversation:
        """Return a pull request with its comments; raises NotFound if there is none."""

        def query() -> Conversation:
            data = self._queries.read(pull_selection(number), COMMENTS.of(number))
            pull = read_pull(data["pull"], self._login)
            return Conversation(pull_request=pull, comments=self._note_comments(number, data))

        def by_rest() -> Conversation:
            pull = rest_pull(self._repository, number)
            return Conversation(pull_request=pull, comments=self._rest_comments(number))

        return self._by_query_or_rest(f"read #{number}", query, by_rest)

    def _note_comments(self, number: int, data: Mapping[str, Any]) -> tuple[Comment, ...]:
        """Return the comments of an answer, and remember the bot's own for what it writes next."""
        listed_comments = read_comments(COMMENTS.read(data, number, self._queries), self._login)
        self._own = OwnComments.of(number, listed_comments, self._login)
        return tuple(listed.comment for listed in listed_comments)

    def _rest_comments(self, number: int) -> tuple[Comment, ...]:
        with translate_errors(f"read the comments of #{number}"):
            return list_comments(self._repository, number)

    def comment_delivery(self, comment_id: int) -> Mapping[str, Any]:
        """Return a comment in the form of a webhook delivery about it; raises NotFound if there is none."""
        with translate_errors(f"read comment {comment_id}"):
            _, comment = self._repository.requester.requestJsonAndCheck(
                "GET", f"{self._repository.url}/issues/comments/{comment_id}"
            )
            _, issue = self._repository.requester.requestJsonAndCheck("GET", comment["issue_url"])
        is_edited = comment["updated_at"] != comment["created_at"] or self._was_edited(comment_id, comment["node_id"])
        return {
            "action": "edited" if is_edited else "created",
            "repository": {"full_name": self.repository},
            "issue": issue,
            "comment": comment,
        }

    def was_edited(self, comment: Comment) -> bool:
        """Say whether a comment was edited, also within the second in which it was written."""
        return comment.is_edited or (bool(comment.node) and self._was_edited(comment.id, comment.node))

    def _was_edited(self, comment_id: int, node: str) -> bool:
        def read() -> bool:
            with translate_errors(f"read when comment {comment_id} was edited"):
                return was_edited(self._repository, node)

        return self._caller.retry_once(read)

    def last_label_event(self, number: int, label: str) -> LabelEvent | None:
        """Return who last put a label on a pull request, and when; None if it was a bot, or nobody."""
        with translate_errors(f"read the history of #{number}"):
            return last_label_event(self._repository, number, label)

    def changed_since(self, moment: datetime) -> Iterable[int]:
        """Yield the pull requests that changed since then, the last changed first."""
        with translate_errors("list what changed"):
            yield from pull_requests_since(self._repository, moment)

    def write_comment(self, number: int, body: str, *, marker: str) -> int:
        """Create the bot's comment that begins with `marker`, or replace its body; returns the comment's id."""
        body = sendable(body)
        known = self._own.find(number, marker)
        if known is not None:
            try:
                return self._edit_comment(known, body)
            except NotFound:
                log.info("Comment %d on #%d was deleted, so it is written again.", known, number)
                del self._own.bodies[known]
        comment_id = self._find_or_create_comment(number, body, marker)
        self._own.note(number, comment_id, body)
        return comment_id

    def _edit_comment(self, comment_id: int, body: str) -> int:
        def edit() -> None:
            with translate_errors(f"edit comment {comment_id}"):
                self._repository.requester.requestJsonAndCheck(
                    "PATCH", f"{self._repository.url}/issues/comments/{comment_id}", input={"body": body}
                )

        if self._own.bodies[comment_id] != body:
            self._caller.wait_and_call(edit)
            self._own.bodies[comment_id] = body
        return comment_id

    def _find_or_create_comment(self, number: int, body: str, marker: str) -> int:
        def find() -> int | None:
            with translate_errors(f"read the comments of #{number}"):
                for comment in lazy_issue(self._repository, number).get_comments():
                    # GitHub names no user for a deleted account.
                    is_own = comment.user is not None and same_login(comment.user.login, self._login)
                    if is_own and (comment.body or "").startswith(marker):
                        if comment.body != body:
                            comment.edit(body)
                        return comment.id
            return None

        def create() -> int:
            with translate_errors(f"comment on #{number}"):
                comment = lazy_issue(self._repository, number).create_comment(body)
            # The answer names the token's account; a configuration may name an App's slug without its "[bot]".
            self._login = comment.user.login if comment.user is not None else self._login
            return comment.id

        return self._caller.find_or_create(find, create)

    def react(self, comment_id: int, reaction: Reaction, *, instead_of: Reaction | None = None) -> None:
        """Add a reaction to a comment, and take one back. Best effort: a refusal is logged, not raised."""

        def change() -> None:
            add_reaction(self._repository, comment_id, reaction)
            if instead_of is not None and self._own.may_have_reacted(comment_id, instead_of):
                remove_reaction(self._repository, comment_id, instead_of, login=self._login)
            self._own.note_reaction(comment_id, reaction, instead_of=instead_of)
            self._last_reaction = (comment_id, reaction)

        if self._last_reaction != (comment_id, reaction):
            self._caller.best_effort(f"react to comment {comment_id}", change)

    def issues_labelled(self, label: str) -> frozenset[int]:
        """Return the numbers of the issues, open or closed, that have a label."""
        with translate_errors(f"list issues labelled {label}"):
            issues = self._repository.get_issues(state="all", labels=[label])
            return frozenset(issue.number for issue in issues if issue.pull_request is None)

    def write_issue(self, *, title: str, body: str, marker: str, is_open: bool | None = None) -> int:
        """Create the bot's issue that begins with `marker`, or give it this title and body; returns its number.

        `is_open` says whether one that is there is to be open or closed; None leaves it.
        """
        title, body = sendable(title), sendable(body)

        def find() -> int | None:
            with translate_errors("look for the tracking issue"):
                author = self._github.get_user(self._login)
                for issue in self._repository.get_issues(state="all", creator=author):
                    if issue.pull_request is None and (issue.body or "").startswith(marker):
                        state = issue.state if is_open is None else "open" if is_open else "closed"
                        if (issue.title, issue.body, issue.state) != (title, body, state):
                            issue.edit(title=title, body=body, state=state)
                        return issue.number
            return None

        def create() -> int:
            with translate_errors("open the tracking issue"):
                return self._repository.create_issue(title, body=body).number

        return self._caller.find_or_create(find, create)
