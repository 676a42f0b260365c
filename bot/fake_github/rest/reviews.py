"""Reviews, review comments and requested reviewers of a pull request."""

from __future__ import annotations

from bot.fake_github.accounts import Level, Team, User, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.conversation import Issue, Review, ReviewComment
from bot.fake_github.events import issue_event, review_event
from bot.fake_github.rest.pulls import PULL, PULLS, pull_of_call
from bot.fake_github.serializers.pulls import pull_json, review_comment_json, review_json
from bot.fake_github.serializers.users import team_json, user_json
from bot.fake_github.state import Repository
from bot.fake_github.world import World

routes = Routes()
REVIEW_COMMENT = f"{PULLS}/comments/{{comment:int}}"
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def review_comment_of(call: Call) -> tuple[Issue, ReviewComment]:
    """Find the review comment that the path names, with its pull request."""
    for issue in call.repository.pulls():
        for comment in issue.pull.review_comments if issue.pull else []:
            if comment.id == call.number("comment"):
                return issue, comment
    raise not_found()


def add_review_comment(
    world: World, issue: Issue, user: User, body: str, path: str, line: int, *, reply_to: int | None = None
) -> ReviewComment:
    """Comment on a line of a pull request's diff, in a thread of its own or as an answer."""
    pull, made, number = issue.pull, now(), world.next_id()
    if pull is None:
        raise not_found()
    comment = ReviewComment(
        id=number,
        user=user,
        body=body,
        created_at=made,
        updated_at=made,
        thread=reply_to or number,
        path=path,
        line=line,
        side="RIGHT",
        commit_id=pull.head_sha,
        diff_hunk=f"@@ -{line} +{line} @@",
    )
    pull.review_comments.append(comment)
    return comment


@routes.add("GET", f"{PULL}/reviews", Level.READ)
def list_reviews(call: Call) -> Reply:
    """Answer the submitted reviews, oldest first."""
    issue, pull = pull_of_call(call)
    return call.page(pull.reviews, lambda review: review_json(call.world, call.repository, issue, review))


@routes.add("POST", f"{PULL}/reviews", Level.READ)
def create_review(call: Call) -> Reply:
    """Submit a review. Nobody approves their own pull request."""
    issue, pull = pull_of_call(call)
    event, body, user = call.body.get("event", "COMMENT"), call.body.get("body") or "", call.user
    if event not in _STATES:
        raise invalid("PullRequestReview", "event")
    if event != "COMMENT" and user is issue.user:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise Refusal(422, "Unprocessable Entity", [f"Can not {verb} your own pull request"])
    review = Review(
        id=call.world.next_id(),
        user=user,
        body=body,
        state=_STATES[event],
        commit_id=call.body.get("commit_id") or pull.head_sha,
        submitted_at=now(),
    )
    pull.reviews.append(review)
    for one in call.body.get("comments", []):
        add_review_comment(
            call.world, issue, user, one["body"], one["path"], one.get("line") or 1
        ).review_id = review.id
    review_event(call.world, call.repository, issue, review, user)
    return Reply(review_json(call.world, call.repository, issue, review))


@routes.add("GET", f"{PULL}/comments", Level.READ)
def list_review_comments(call: Call) -> Reply:
    """Answer the comments on the diff, oldest first."""
    issue, pull = pull_of_call(call)
    return call.page(pull.review_comments, lambda one: review_comment_json(call.world, call.repository, issue, one))


@routes.add("POST", f"{PULL}/comments", Level.READ)
def create_review_comment(call: Call) -> Reply:
    """Comment on a line of the diff, or answer with `in_reply_to`."""
    issue, pull = pull_of_call(call)
    body, parent = call.text("body", "PullRequestReviewComment"), call.body.get("in_reply_to")
    first = next((one for one in pull.review_comments if one.id == parent), None)
    if parent and first is None:
        raise invalid("PullRequestReviewComment", "in_reply_to")
    path = first.path if first else call.text("path", "PullRequestReviewComment")
    line = first.line if first else int(call.body.get("line") or 1)
    made = add_review_comment(call.world, issue, call.user, body, path, line, reply_to=first.thread if first else None)
    return Reply(review_comment_json(call.world, call.repository, issue, made), 201)


@routes.add("POST", f"{PULL}/comments/{{comment:int}}/replies", Level.READ)
def reply_to_review_comment(call: Call) -> Reply:
    """Answer in a thread."""
    issue, first = review_comment_of(call)
    body = call.text("body", "PullRequestReviewComment")
    made = add_review_comment(call.world, issue, call.user, body, first.path, first.line, reply_to=first.thread)
    return Reply(review_comment_json(call.world, call.repository, issue, made), 201)


@routes.add("GET", REVIEW_COMMENT, Level.READ)
def get_review_comment(call: Call) -> Reply:
    """Answer one review comment."""
    return Reply(review_comment_json(call.world, call.repository, *review_comment_of(call)))


@routes.add("GET", f"{PULL}/requested_reviewers", Level.READ)
def list_requested_reviewers(call: Call) -> Reply:
    """Answer who is asked to review."""
    _, pull = pull_of_call(call)
    users = [user_json(call.world, user) for user in pull.requested_reviewers]
    return Reply({"users": users, "teams": [team_json(call.world, team) for team in pull.requested_teams]})


@routes.add("POST", f"{PULL}/requested_reviewers", Level.WRITE)
def request_reviewers(call: Call) -> Reply:
    """Ask people and teams. Refuses the author and people without access, as GitHub does."""
    issue, pull = pull_of_call(call)
    users = [_reviewer(call, issue, login) for login in call.body.get("reviewers", [])]
    teams = [_team(call.world, call.repository, slug) for slug in call.body.get("team_reviewers", [])]
    for user in users:
        if user not in pull.requested_reviewers:
            pull.requested_reviewers.append(user)
            shape = user_json(call.world, user)
            issue_event(call.world, call.repository, issue, "review_requested", call.user, requested_reviewer=shape)
    pull.requested_teams += [team for team in teams if team not in pull.requested_teams]
    return Reply(pull_json(call.world, call.repository, issue), 201)


@routes.add("DELETE", f"{PULL}/requested_reviewers", Level.WRITE)
def unrequest_reviewers(call: Call) -> Reply:
    """Ask them no longer."""
    issue, pull = pull_of_call(call)
    gone = {login.lower() for login in call.body.get("reviewers", [])}
    pull.requested_reviewers = [user for user in pull.requested_reviewers if user.login.lower() not in gone]
    return Reply(pull_json(call.world, call.repository, issue))


def _reviewer(call: Call, issue: Issue, login: str) -> User:
    user, repository = call.world.user(login), call.repository
    if user is issue.user:
        raise Refusal(422, "Review cannot be requested from pull request author.")
    if user is None or not (user is repository.owner or repository.levels.get(login.lower())):
        kind = "collaborators" if user else "users"
        raise Refusal(
            422,
            f"Reviews may only be requested from {kind}. One or more of the users or teams you "
            f"specified is not a {kind.removesuffix('s')} of the {repository.full_name} repository.",
        )
    return user


def _team(world: World, repository: Repository, slug: str) -> Team:
    team = world.teams.get((repository.owner.login.lower(), slug.lower()))
    if team is None:
        raise Refusal(422, "Could not resolve to a node with the global id of the team.")
    return team
