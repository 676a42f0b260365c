"""Requests to review a pull request, and the reviews."""

from __future__ import annotations

from bot.fake_github.accounts import Level, Team, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, invalid
from bot.fake_github.conversation import Review
from bot.fake_github.details import ReviewRejected, request_review
from bot.fake_github.rest.pulls import PULL, pull_of_request
from bot.fake_github.serializers.pulls import pull_json, review_json

routes = Routes()


@routes.add("POST", f"{PULL}/requested_reviewers", Level.WRITE)
def request_reviewers(request: ApiRequest) -> ApiResponse:
    """Ask people and teams. Refuses the author and people without access, as GitHub does."""
    issue, pull = pull_of_request(request)
    users = [request.world.user(login) for login in request.body.get("reviewers", [])]
    teams = [_team(request, slug) for slug in request.body.get("team_reviewers", [])]
    try:
        request_review(request.world, request.repository, issue, users, request.user)
    except ReviewRejected as error:
        raise ApiError(422, str(error)) from None
    pull.requested_teams += [team for team in teams if team not in pull.requested_teams]
    return ApiResponse(pull_json(request.world, request.repository, issue), 201)


@routes.add("GET", f"{PULL}/reviews", Level.READ)
def list_reviews(request: ApiRequest) -> ApiResponse:
    """Answer a pull request's reviews, oldest first."""
    issue, pull = pull_of_request(request)
    return request.page(pull.reviews, lambda review: review_json(request.world, request.repository, issue, review))


_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@routes.add("POST", f"{PULL}/reviews", Level.READ)
def submit_review(request: ApiRequest) -> ApiResponse:
    """Review a pull request. Whoever was asked for it is asked no more. Pending reviews are not supported."""
    issue, pull = pull_of_request(request)
    event = request.text("event", "PullRequestReview")
    if event not in _STATES:
        raise invalid("PullRequestReview", "event")
    if request.user is issue.user and event != "COMMENT":
        raise ApiError(422, "Unprocessable Entity", ["Review Can not approve your own pull request"])
    review = Review(
        id=request.world.next_id(),
        user=request.user,
        body=request.body.get("body") or "",
        state=_STATES[event],
        submitted_at=now(),
        commit=pull.head_sha,
    )
    pull.reviews.append(review)
    pull.requested_reviewers = [user for user in pull.requested_reviewers if user is not request.user]
    return ApiResponse(review_json(request.world, request.repository, issue, review))


def _team(request: ApiRequest, slug: str) -> Team:
    team = request.world.teams.get((request.repository.owner.login.lower(), slug.lower()))
    if team is None:
        raise ApiError(422, "Could not resolve to a node with the global id of the team.")
    return team
