"""Pull requests: list, open, edit, what they contain and their merge."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Json, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.conversation import Issue, Pull
from bot.fake_github.events import issue_event
from bot.fake_github.merging import MergeRefused, merge
from bot.fake_github.pull_requests import commits_of, files_of, keep_refs, open_pull
from bot.fake_github.rest.issues import edit_text, need_author_or, set_state
from bot.fake_github.serializers.commits import commit_json, file_json
from bot.fake_github.serializers.pulls import full_pull_json, pull_json
from bot.fake_github.state import Repository

routes = Routes()
PULLS = "/repos/{owner}/{repo}/pulls"
PULL = f"{PULLS}/{{number:int}}"


def pull_of_call(call: Call) -> tuple[Issue, Pull]:
    """Find the pull request that the path names."""
    issue = call.repository.issues.get(call.number("number"))
    if issue is None or issue.pull is None:
        raise not_found()
    return issue, issue.pull


@routes.add("GET", PULLS, Level.READ)
def list_pulls(call: Call) -> Reply:
    """Answer pull requests. `head` filters by owner:branch and, as on GitHub, filters nothing without the owner."""
    state, base, head = call.query.get("state", "open"), call.query.get("base"), call.query.get("head", "")
    chosen = [
        issue
        for issue in call.repository.pulls()
        if issue.pull
        and state in {"all", issue.state}
        and base in {None, issue.pull.base}
        and (":" not in head or head.lower() == f"{issue.pull.head_owner}:{issue.pull.head}".lower())
    ]
    newest_first = call.query.get("direction", "desc") == "desc"
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    chosen.sort(key=lambda issue: (getattr(issue, key), issue.number), reverse=newest_first)
    return call.page(chosen, lambda issue: pull_json(call.world, call.repository, issue))


@routes.add("POST", PULLS, Level.READ)
def create_pull(call: Call) -> Reply:
    """Open a pull request. Needs write access to the repository of the head branch."""
    world, repository, user = call.world, call.repository, call.user
    title = call.text("title", "PullRequest")
    base, (source, branch) = call.text("base", "PullRequest"), _head_of(call)
    head_sha, base_sha = source.git.branch(branch), repository.git.branch(base)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if source.level_of(user) < Level.WRITE:
        call.need(Level.WRITE)
    _refuse_duplicate(repository, source, branch, base)
    if call.body.get("draft") and not repository.drafts:
        raise Refusal(422, "Draft pull requests are not supported in this repository.")
    made = now()
    issue = Issue(
        id=world.next_id(),
        number=world.next_number(repository),
        title=title,
        body=call.body.get("body"),
        user=user,
        created_at=made,
        updated_at=made,
    )
    pull = Pull(
        id=world.next_id(),
        base=base,
        base_sha=base_sha,
        head=branch,
        head_sha=head_sha,
        head_repository=source,
        head_owner=source.owner.login,
        draft=bool(call.body.get("draft")),
        maintainer_can_modify=bool(call.body.get("maintainer_can_modify", True)) and source is not repository,
    )
    _refuse_nothing(repository, issue.number, pull)
    open_pull(repository, issue, pull)
    issue_event(world, repository, issue, "opened", user)
    return Reply(full_pull_json(world, repository, issue), 201)


def _head_of(call: Call) -> tuple[Repository, str]:
    """Find the repository and branch of `head`: a branch here, or owner:branch in this network."""
    owner, _, branch = call.text("head", "PullRequest").rpartition(":")
    name = call.body.get("head_repo", "").rpartition("/")[2]
    for one in call.world.network(call.repository):
        if one.owner.login.lower() == (owner or call.repository.owner.login).lower() and name in {"", one.name}:
            return one, branch
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


def _custom(message: str) -> Refusal:
    return Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


@routes.add("GET", PULL, Level.READ)
def get_pull(call: Call) -> Reply:
    """Answer one pull request, or its diff or patch where the Accept header asks for that."""
    issue, pull = pull_of_call(call)
    accept = call.headers.get("accept", "")
    for kind, args in (("diff", ["diff", "--full-index"]), ("patch", ["format-patch", "--stdout"])):
        if kind in accept.replace("+json", ""):
            start, end = pull.base_sha, pull.head_sha
            text = call.repository.git.run(*args, f"{start}...{end}" if kind == "diff" else f"{start}..{end}")
            return Reply(text, headers={"Content-Type": f"application/vnd.github.{kind}; charset=utf-8"})
    return Reply(full_pull_json(call.world, call.repository, issue))


@routes.add("PATCH", PULL, Level.READ)
def edit_pull(call: Call) -> Reply:
    """Change title, body, base or state."""
    issue, pull = pull_of_call(call)
    need_author_or(call, Level.WRITE, issue.user)
    base = call.body.get("base")
    if base and base != pull.base:
        base_sha = call.repository.git.branch(base)
        if base_sha is None:
            raise invalid("PullRequest", "base")
        was, pull.base, pull.base_sha = pull.base, base, base_sha
        changes: Json = {"base": {"ref": {"from": was}, "sha": {"from": base_sha}}}
        issue_event(call.world, call.repository, issue, "edited", call.user, changes=changes)
    edit_text(call, issue)
    set_state(call, issue)
    return Reply(full_pull_json(call.world, call.repository, issue))


@routes.add("GET", f"{PULL}/commits", Level.READ)
def list_pull_commits(call: Call) -> Reply:
    """Answer a pull request's commits, oldest first."""
    _, pull = pull_of_call(call)
    commits = commits_of(call.repository, pull)[:250]
    return call.page(commits, lambda one: commit_json(call.world, call.repository, one))


@routes.add("GET", f"{PULL}/files", Level.READ)
def list_pull_files(call: Call) -> Reply:
    """Answer what a pull request changes."""
    _, pull = pull_of_call(call)
    files = files_of(call.repository, pull)
    return call.page(files, lambda one: file_json(call.world, call.repository, pull.head_sha, one))


@routes.add("GET", f"{PULL}/merge", Level.READ)
def is_merged(call: Call) -> Reply:
    """Answer 204 for a merged pull request, else 404."""
    _, pull = pull_of_call(call)
    if not pull.merged:
        raise not_found()
    return Reply(status=204)


@routes.add("PUT", f"{PULL}/merge", Level.WRITE)
def merge_pull(call: Call) -> Reply:
    """Merge with the asked-for method."""
    issue, pull = pull_of_call(call)
    method, expected = call.body.get("merge_method") or "merge", call.body.get("sha")
    if method not in {"merge", "squash", "rebase"}:
        raise Refusal(422, "Invalid request.\n\nmerge_method is not a permitted value.")
    if expected and expected != pull.head_sha:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    title, message = call.body.get("commit_title"), call.body.get("commit_message")
    try:
        sha = merge(call.world, call.repository, issue, method, call.user, title=title, message=message)
    except MergeRefused as refused:
        raise Refusal(405, str(refused)) from None
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})
