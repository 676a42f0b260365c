"""Pull requests: list, open, edit, what they contain and their merge."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, invalid, not_found
from bot.fake_github.conversation import Issue, Pull
from bot.fake_github.events import pull_request_event
from bot.fake_github.merging import MergeRejected, merge
from bot.fake_github.pull_requests import commits_of, files_of, keep_refs, open_pull
from bot.fake_github.repository_records import Repository
from bot.fake_github.rest.issues import edit_text, need_author_or, set_state
from bot.fake_github.serializers.commits import commit_json, file_json
from bot.fake_github.serializers.pulls import full_pull_json, pull_json

routes = Routes()
PULLS = "/repos/{owner}/{repo}/pulls"
PULL = f"{PULLS}/{{number:int}}"


def pull_of_request(request: ApiRequest) -> tuple[Issue, Pull]:
    """Find the pull request that the path names."""
    issue = request.repository.issues.get(request.number("number"))
    if issue is None or issue.pull is None:
        raise not_found()
    return issue, issue.pull


@routes.add("GET", PULLS, Level.READ)
def list_pulls(request: ApiRequest) -> ApiResponse:
    """Answer pull requests. `head` filters by owner:branch and, as on GitHub, filters nothing without the owner."""
    query, repository = request.query, request.repository
    head = query.get("head", "").lower()
    issues = [
        issue
        for issue in repository.pulls()
        if issue.pull
        and query.get("state", "open") in {"all", issue.state}
        and query.get("base") in {None, issue.pull.base}
        and (":" not in head or head == f"{issue.pull.head_owner}:{issue.pull.head}".lower())
    ]
    key = "updated_at" if query.get("sort") == "updated" else "created_at"
    issues.sort(key=lambda issue: (getattr(issue, key), issue.number), reverse=query.get("direction", "desc") == "desc")
    return request.page(issues, lambda issue: pull_json(request.world, repository, issue))


@routes.add("POST", PULLS, Level.READ)
def create_pull(request: ApiRequest) -> ApiResponse:
    """Open a pull request. Needs write access to the repository of the head branch."""
    world, repository, body = request.world, request.repository, request.body
    title, base = request.text("title", "PullRequest"), request.text("base", "PullRequest")
    source, branch = _head_of(request)
    head_sha, base_sha = source.git.branch(branch), repository.git.branch(base)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if source.level_of(request.user) < Level.WRITE:
        request.need(Level.WRITE)
    _refuse_duplicate(repository, source, branch, base)
    if body.get("draft") and not repository.drafts:
        raise ApiError(422, "Draft pull requests are not supported in this repository.")
    issue = _new_issue(request, title)
    pull = Pull(
        id=world.next_id(),
        base=base,
        base_sha=base_sha,
        head=branch,
        head_sha=head_sha,
        head_repository=source,
        head_owner=source.owner.login,
        draft=bool(body.get("draft")),
        maintainer_can_modify=bool(body.get("maintainer_can_modify")) and source is not repository,
    )
    _refuse_nothing(repository, issue.number, pull)
    open_pull(repository, issue, pull)
    pull_request_event(world, repository, issue, "opened", request.user)
    return ApiResponse(full_pull_json(world, repository, issue), 201)


def _new_issue(request: ApiRequest, title: str) -> Issue:
    time = now()
    return Issue(
        id=request.world.next_id(),
        number=request.world.next_number(request.repository),
        title=title,
        body=request.body.get("body"),
        user=request.user,
        created_at=time,
        updated_at=time,
    )


def _head_of(request: ApiRequest) -> tuple[Repository, str]:
    """Find the repository and branch of `head`: a branch of this repository, or owner:branch of its network.

    `head_repo` says which one is meant of several with the same owner.
    """
    owner, _, branch = request.text("head", "PullRequest").rpartition(":")
    owner, name = owner or request.repository.owner.login, str(request.body.get("head_repo") or "").lower()
    for repository in (request.repository, *request.world.network(request.repository)):
        if repository.owner.login.lower() == owner.lower() and name in {"", repository.name.lower()}:
            return repository, branch
    raise invalid("PullRequest", "head")


def _refuse_duplicate(repository: Repository, source: Repository, branch: str, base: str) -> None:
    for issue in repository.pulls():
        pull = issue.pull
        if pull and issue.state == "open" and (pull.head_repository, pull.head, pull.base) == (source, branch, base):
            label = f"{source.owner.login}:{branch}"
            raise _custom(f"A pull request already exists for {label}.")


def _refuse_nothing(repository: Repository, number: int, pull: Pull) -> None:
    """Refuse a head without anything new. A fork's objects are brought here first, and their ref dropped on refusal."""
    if pull.head_repository is not repository:
        keep_refs(repository, number, pull)
    if not commits_of(repository, pull):
        repository.git.delete_ref(f"refs/pull/{number}/head")
        raise _custom(f"No commits between {pull.base} and {pull.head}")


def _custom(message: str) -> ApiError:
    return ApiError(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


@routes.add("GET", PULL, Level.READ)
def get_pull(request: ApiRequest) -> ApiResponse:
    """Answer one pull request."""
    issue, _ = pull_of_request(request)
    return ApiResponse(full_pull_json(request.world, request.repository, issue))


@routes.add("PATCH", PULL, Level.READ)
def edit_pull(request: ApiRequest) -> ApiResponse:
    """Change title, body or state."""
    issue, _ = pull_of_request(request)
    need_author_or(request, Level.WRITE, issue.user)
    edit_text(request, issue)
    set_state(request, issue)
    return ApiResponse(full_pull_json(request.world, request.repository, issue))


@routes.add("GET", f"{PULL}/commits", Level.READ)
def list_pull_commits(request: ApiRequest) -> ApiResponse:
    """Answer a pull request's commits, oldest first."""
    (_, pull), repository = pull_of_request(request), request.repository
    commits = commits_of(repository, pull)[:250]
    return request.page(commits, lambda commit: commit_json(request.world, repository, commit))


@routes.add("GET", f"{PULL}/files", Level.READ)
def list_pull_files(request: ApiRequest) -> ApiResponse:
    """Answer what a pull request changes."""
    (_, pull), repository = pull_of_request(request), request.repository
    files = files_of(repository, pull)
    return request.page(files, lambda file: file_json(request.world, repository, pull.head_sha, file))


@routes.add("PUT", f"{PULL}/merge", Level.WRITE)
def merge_pull(request: ApiRequest) -> ApiResponse:
    """Merge by the method that the request names."""
    issue, pull = pull_of_request(request)
    method, head = request.body.get("merge_method") or "merge", request.body.get("sha")
    if method not in {"merge", "squash", "rebase"}:
        raise ApiError(422, "Invalid request.\n\nmerge_method is not a permitted value.")
    if head and head != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    title, message = request.body.get("commit_title"), request.body.get("commit_message")
    try:
        sha = merge(request.world, request.repository, issue, method, request.user, title=title, message=message)
    except MergeRejected as rejection:
        raise ApiError(405, str(rejection)) from None
    return ApiResponse({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})
