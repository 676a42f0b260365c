"""What a GraphQL query asks about a pull request: itself, its comments, its review threads; and how that is read.

Of a list every page is read, so that none is cut off unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.github.convert import GHOST
from bot.github.graphql import NotByGraphQL, RepositoryQueries, Selection
from bot.models import Comment, PullRequest, ReviewThread, Sha
from bot.text.logins import is_app

_PAGE = "pageInfo { hasNextPage endCursor }"
_ACTOR = "{ __typename login }"
PULL_FIELDS = f"""
    number title body url state merged isDraft viewerDidAuthor baseRefName headRefName headRefOid
    headRepositoryOwner {{ login }} author {_ACTOR} mergedBy {_ACTOR} milestone {{ number }}
    labels(first: 100) {{ nodes {{ name }} }}
    commits(first: 1) {{ totalCount }} mergeCommit {{ oid }} assignees(first: 100) {{ nodes {{ login }} }}
    reviewRequests(first: 100) {{ nodes {{ requestedReviewer {{ ... on User {_ACTOR} ... on Team {{ slug }} }} }} }}
"""
_COMMENT_FIELDS = f"""
    fullDatabaseId body createdAt updatedAt lastEditedAt viewerDidAuthor author {_ACTOR}
    reactionGroups {{ content viewerHasReacted }}
"""
_THREAD_FIELDS = "isResolved path line comments(first: 1) { nodes { author { login } body url } }"


@dataclass(frozen=True, slots=True)
class ListedComment:
    """A comment, and the bot's own reactions to it by REST's names."""

    comment: Comment
    own_reactions: frozenset[str]


@dataclass(frozen=True, slots=True)
class PagedSelection:
    """A list below a pull request: `alias` names it in the query, `connection` is GitHub's name for it."""

    alias: str
    connection: str
    fields: str

    def of(self, number: int, after: str | None = None) -> Selection:
        """Return the selection of one page: the first, or the one that comes after a cursor."""
        cursor = f"${self.alias}After"
        nodes = f"{self.connection}(first: 100, after: {cursor}) {{ nodes {{ {self.fields} }} {_PAGE} }}"
        return Selection(
            f"{self.alias}: pullRequest(number: $number) {{ {nodes} }}",
            variables={("number", "Int!"): number, (cursor[1:], "String"): after},
        )

    def read(self, data: Mapping[str, Any], number: int, queries: RepositoryQueries) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of the page in `data`, and those of the pages that follow."""
        while True:
            page = data[self.alias][self.connection]
            yield from (node for node in page["nodes"] if node)
            if not page["pageInfo"]["hasNextPage"]:
                return
            data = queries.read(self.of(number, page["pageInfo"]["endCursor"]))


COMMENTS = PagedSelection("conversation", "comments", _COMMENT_FIELDS)
THREADS = PagedSelection("review", "reviewThreads", _THREAD_FIELDS)


def pull_selection(number: int) -> Selection:
    """Select a pull request."""
    fields = f"pull: pullRequest(number: $number) {{ {PULL_FIELDS} }}"
    return Selection(fields, variables={("number", "Int!"): number})


def heads_selection(heads: Sequence[str], base: str) -> Selection:
    """Select the pull requests from some branches into one, in any state."""
    entries = f"{{ nodes {{ {PULL_FIELDS} }} pageInfo {{ hasNextPage }} }}"
    fields = (
        f"heads{index}: pullRequests(headRefName: $head{index}, baseRefName: $base, first: 100) {entries}"
        for index in range(len(heads))
    )
    variables = {(f"head{index}", "String!"): head for index, head in enumerate(heads)}
    return Selection("\n".join(fields), variables={**variables, ("base", "String!"): base})


def read_heads(
    data: Mapping[str, Any], heads: Sequence[str], own_login: str, *, owners: Collection[str]
) -> tuple[PullRequest, ...]:
    """Return the pull requests from branches of these owners, newest first; raises NotByGraphQL if some lack."""
    pages = [data[f"heads{index}"] for index in range(len(heads))]
    if any(page["pageInfo"]["hasNextPage"] or None in page["nodes"] for page in pages):
        raise NotByGraphQL
    # GitHub filters by the name of a branch, which anybody's fork may have.
    own_nodes = (node for page in pages for node in page["nodes"] if _owner(node) in set(map(str.casefold, owners)))
    return tuple(sorted((read_pull(node, own_login) for node in own_nodes), key=lambda pull: -pull.number))


def read_pull(node: Mapping[str, Any], own_login: str) -> PullRequest:
    """Convert a pull request; raises NotByGraphQL if it is merged and has no merge commit: REST may name one."""
    merge_commit = (node["mergeCommit"] or {}).get("oid") if node["merged"] else None
    if node["merged"] and merge_commit is None:
        raise NotByGraphQL
    requests = (node["reviewRequests"] or {"nodes": ()})["nodes"]
    reviewers = [request["requestedReviewer"] for request in requests if request and request["requestedReviewer"]]
    return PullRequest(
        number=node["number"],
        title=node["title"],
        body=node["body"],
        author=_author(node, own_login) or GHOST,
        url=node["url"],
        state="open" if node["state"] == "OPEN" else "closed",
        base=node["baseRefName"],
        head=node["headRefName"],
        head_sha=Sha(node["headRefOid"]),
        merged=node["merged"],
        merge_commit=Sha(merge_commit) if merge_commit else None,
        merged_by=_login(node["mergedBy"]) if node["merged"] else None,
        commit_count=node["commits"]["totalCount"],
        labels=tuple(label["name"] for label in (node["labels"] or {"nodes": ()})["nodes"]),
        draft=node["isDraft"],
        milestone=node["milestone"]["number"] if node["milestone"] else None,
        assignees=tuple(person["login"] for person in node["assignees"]["nodes"] if person),
        requested_reviewers=tuple(reviewer["login"] for reviewer in reviewers if "login" in reviewer),
        requested_teams=tuple(reviewer["slug"] for reviewer in reviewers if "slug" in reviewer),
    )


def read_comments(nodes: Iterator[Mapping[str, Any]], own_login: str) -> tuple[ListedComment, ...]:
    """Convert comments. Those of deleted accounts are left out."""
    return tuple(_comment(node, own_login) for node in nodes if node["author"] is not None)


def _comment(node: Mapping[str, Any], own_login: str) -> ListedComment:
    author = _author(node, own_login) or GHOST
    comment = Comment(
        id=int(node["fullDatabaseId"]),
        author=author,
        body=node["body"],
        person=node["author"]["__typename"] != "Bot" and not is_app(author),
        changed_at=datetime.fromisoformat(node["updatedAt"]),
        is_edited=node["lastEditedAt"] is not None or node["updatedAt"] != node["createdAt"],
    )
    groups = (group["content"].lower() for group in node["reactionGroups"] or () if group["viewerHasReacted"])
    return ListedComment(comment, frozenset(groups))


def read_threads(nodes: Iterator[Mapping[str, Any]]) -> tuple[ReviewThread, ...]:
    """Convert the threads that nobody resolved, in GitHub's order."""
    return tuple(_thread(node) for node in nodes if not node["isResolved"] and node["comments"]["nodes"])


def _thread(node: Mapping[str, Any]) -> ReviewThread:
    first = node["comments"]["nodes"][0]
    # The author's account may be deleted, and the line may be gone once the file has changed.
    author = (first["author"] or {}).get("login", GHOST)
    return ReviewThread(path=node["path"], line=node["line"] or 0, author=author, body=first["body"], url=first["url"])


def _owner(node: Mapping[str, Any]) -> str:
    return str((node["headRepositoryOwner"] or {"login": ""})["login"]).casefold()


def _author(node: Mapping[str, Any], own_login: str) -> str | None:
    # A configuration may name an App's slug without its "[bot]"; GitHub knows what the bot itself wrote.
    return own_login if node["viewerDidAuthor"] else _login(node["author"])


def _login(actor: Mapping[str, Any] | None) -> str | None:
    """Return a login as REST spells it: GraphQL leaves out the "[bot]" of an App's account."""
    if actor is None:
        return None
    login: str = actor["login"]
    return f"{login}[bot]" if actor["__typename"] == "Bot" and not is_app(login) else login
