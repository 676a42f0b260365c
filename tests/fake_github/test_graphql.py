"""GraphQL: a true part of GitHub's schema, with its rules for pages, errors and rights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from github.GithubException import GithubException, UnknownObjectException
from github.Repository import Repository
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema

from bot.fake_github import FakeGitHub
from bot.fake_github.graphql.endpoint import SDL
from tests.fake_github.conftest import NAME, People

THREADS = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: 2, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id isResolved path line comments(first: 1) { nodes { author { login } body url } } }
    } } } }"""
Branch = Callable[[str, str], str]


def threads(client: Any, number: int, after: str | None = None) -> Any:
    """Ask for one page of review threads."""
    variables = {"owner": "acme", "name": "engine", "number": number, "after": after}
    _, answer = client.requester.graphql_query(THREADS, variables)
    return answer["data"]["repository"]["pullRequest"]["reviewThreads"]


def test_review_threads_come_page_by_page_with_their_state(
    fake_github: FakeGitHub, people: People, original: int
) -> None:
    for line in (1, 2, 3):
        fake_github.seed_review_thread(
            NAME, original, author="rev", path="buffer.py", line=line, body=f"why {line}?", resolved=line == 2
        )
    client = people.client(fake_github.add_user("mia"))
    first = threads(client, original)
    assert [node["isResolved"] for node in first["nodes"]] == [False, True]
    second = threads(client, original, first["pageInfo"]["endCursor"])
    assert [node["comments"]["nodes"][0]["body"] for node in second["nodes"]] == ["why 3?"]
    assert second["pageInfo"]["hasNextPage"] is False


def test_draft_becomes_ready_and_back(bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="", head="topic", base="main", draft=True)
    pull.mark_ready_for_review()
    assert bot.get_pull(pull.number).draft is False
    fields = {"pullRequestId": pull.node_id}
    bot.requester.graphql_named_mutation("convertPullRequestToDraft", fields, "pullRequest { isDraft }")
    assert bot.get_pull(pull.number).draft is True


def test_missing_things_are_not_found(fake_github: FakeGitHub, people: People) -> None:
    client = people.client(fake_github.add_user("mia"))
    with pytest.raises(UnknownObjectException, match="Could not resolve to a PullRequest"):
        threads(client, 404)
    with pytest.raises(UnknownObjectException, match="global id"):
        client.requester.graphql_node("PR_nonsense", "isDraft", "PullRequest")


def test_private_things_are_not_found(fake_github: FakeGitHub, people: People) -> None:
    fake_github.create_repository("acme/secret", private=True)
    client = people.client(fake_github.add_user("stranger"))
    with pytest.raises(UnknownObjectException, match="Could not resolve to a Repository"):
        client.requester.graphql_query('{ repository(owner: "acme", name: "secret") { id } }', {})


PULL = '{ repository(owner: "acme", name: "engine") { pullRequest(number: 7) { %s } } }'


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (PULL % "shoeSize", "Field 'shoeSize' doesn't exist on type 'PullRequest'"),
        ("{ repository { ", "Syntax Error"),
        (PULL % "reviewThreads { nodes { id } }", "`first`"),
        (PULL % "reviewThreads(first: 101) { nodes { id } }", "exceeds the `first` limit"),
    ],
)
def test_query_that_github_would_refuse_is_refused(
    query: str, message: str, fake_github: FakeGitHub, people: People, original: int
) -> None:
    client = people.client(fake_github.add_user("mia"))
    with pytest.raises(GithubException, match=message):
        client.requester.graphql_query(query, {})


def test_graphql_needs_a_token(fake_github: FakeGitHub) -> None:
    answer = requests.post(fake_github.graphql_url, json={"query": PULL % "id"}, timeout=60)
    assert answer.status_code == 401


def test_reader_may_not_mark_ready(people: People, bot: Repository, branch_from: Branch) -> None:
    branch_from("topic", "main")
    pull = bot.create_pull(title="t", body="", head="topic", base="main", draft=True)
    reader = people.repository("rita", "read")
    with pytest.raises(GithubException, match="does not have the correct permissions"):
        reader.get_pull(pull.number).mark_ready_for_review()


@pytest.mark.node
def test_schema_is_a_part_of_githubs(node_modules: Path) -> None:
    """Every type, field, argument and value of ours is in GitHub's own schema, with the same type."""
    text = (node_modules / "@octokit/graphql-schema/schema.json").read_text()
    document = json.loads(text)
    official = {item["name"]: item for item in document.get("data", document)["__schema"]["types"]}
    problems = []
    for name, ours in build_schema(SDL).type_map.items():
        theirs = official.get(name)
        if name.startswith("__"):
            continue
        if theirs is None:
            problems.append(f"GitHub has no type {name}")
        elif isinstance(ours, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            theirs_by_name = {item["name"]: item for item in theirs["fields"] or theirs["inputFields"]}
            for field, definition in ours.fields.items():
                their_type = spell(theirs_by_name[field]["type"]) if field in theirs_by_name else "nothing"
                if str(definition.type) != their_type:
                    problems.append(f"{name}.{field} is {definition.type}, at GitHub {their_type}")
                arguments = set(getattr(definition, "args", {}))
                if field in theirs_by_name and not arguments <= {
                    item["name"] for item in theirs_by_name[field].get("args", [])
                }:
                    problems.append(f"{name}.{field} takes {arguments}")
    assert not problems, "\n".join(problems)


def spell(kind: dict[str, Any]) -> str:
    """Spell an introspected type as the schema language does."""
    if kind["kind"] == "NON_NULL":
        return f"{spell(kind['ofType'])}!"
    return f"[{spell(kind['ofType'])}]" if kind["kind"] == "LIST" else str(kind["name"])
