"""The life of a pull request: opened, followed as its head moves, merged.

What git says of it, and the refs that are kept for it (refs/pull/N/head and /merge). Decides no permission.
"""

from __future__ import annotations

from bot.fake_github.accounts import User, now
from bot.fake_github.conversation import Issue, Pull
from bot.fake_github.git_diff import FileChange, changes
from bot.fake_github.git_merge import merge_commit, rebased_commits, squash_commit, trial_merge
from bot.fake_github.git_store import GitCommit, Person
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import CheckRun, Repository


def span(repository: Repository, pull: Pull) -> tuple[str, str]:
    """Return the commits between which a pull request changes something: the merge base and the head."""
    base = pull.base_sha if pull.merged else repository.git.branch(pull.base) or pull.base_sha
    return repository.git.merge_base(base, pull.head_sha) or base, pull.head_sha


def commits_of(repository: Repository, pull: Pull) -> list[GitCommit]:
    """List a pull request's commits, oldest first."""
    start, end = span(repository, pull)
    return repository.git.log(f"{start}..{end}")[::-1]


def files_of(repository: Repository, pull: Pull) -> tuple[FileChange, ...]:
    """List what a pull request changes."""
    return changes(repository.git, *span(repository, pull))


def trial_of(repository: Repository, pull: Pull) -> str | None:
    """Return the commit that a merge would give now, kept at refs/pull/N/merge; None where the two conflict."""
    base = repository.git.branch(pull.base) or pull.base_sha
    if pull.trial is None or pull.trial[:2] != (base, pull.head_sha):
        pull.trial = (base, pull.head_sha, trial_merge(repository.git, base, pull.head_sha))
    return pull.trial[2]


def missing_checks(repository: Repository, pull: Pull) -> tuple[str, ...]:
    """List the required checks of the base branch that have not succeeded on the head."""
    successes = {run.name for run in latest_runs(repository, pull.head_sha) if run.conclusion == "success"}
    return tuple(name for name in repository.required_checks.get(pull.base, ()) if name not in successes)


def latest_runs(repository: Repository, sha: str) -> list[CheckRun]:
    """List a commit's check runs, only the newest of each name and creator."""
    newest = {(run.creator.login, run.name): run for run in repository.check_runs.values() if run.head_sha == sha}
    return list(newest.values())


def mergeable_state(repository: Repository, pull: Pull) -> str:
    """Return GitHub's word for what stands between a pull request and its merge."""
    if trial_of(repository, pull) is None:
        return "dirty"
    if pull.draft:
        return "draft"
    return "blocked" if missing_checks(repository, pull) else "clean"


def open_pull(repository: Repository, issue: Issue, pull: Pull) -> None:
    """Make an issue a pull request, with its refs."""
    issue.pull = pull
    repository.issues[issue.number] = issue
    keep_refs(repository, issue.number, pull)


def keep_refs(repository: Repository, number: int, pull: Pull) -> None:
    """Bring the head into the base repository and point refs/pull/N at it."""
    source = pull.head_repository
    if source and source is not repository:
        repository.git.fetch(source.git.directory, f"+refs/heads/{pull.head}:refs/pull/{number}/head")
    else:
        repository.git.set_ref(f"refs/pull/{number}/head", pull.head_sha)
    merge = None if pull.merged else trial_of(repository, pull)
    if merge:
        repository.git.set_ref(f"refs/pull/{number}/merge", merge)


def open_from(repository: Repository, head: Repository, branch: str) -> list[tuple[Issue, Pull]]:
    """List the open pull requests whose head is a branch."""
    return [
        (issue, issue.pull)
        for issue in repository.pulls()
        if issue.pull and issue.state == "open" and (issue.pull.head_repository, issue.pull.head) == (head, branch)
    ]


def follow_head(repository: Repository, head: Repository, branch: str, sha: str) -> list[Issue]:
    """Move the open pull requests whose head is the branch, and return those that moved."""
    behind = [(issue, pull) for issue, pull in open_from(repository, head, branch) if pull.head_sha != sha]
    for issue, pull in behind:
        pull.head_sha = sha
        keep_refs(repository, issue.number, pull)
    return [issue for issue, _ in behind]


def merged_head(
    repository: Repository, issue: Issue, method: str, title: str, message: str, merger: User
) -> str | None:
    """Write the commits of a merge on top of the base branch and return the last, or None on a conflict."""
    pull = issue.pull
    base = repository.git.branch(pull.base) if pull else None
    if pull is None or base is None:
        return None
    committer = Person(merger.name, merger.email, now())
    if method == "rebase":
        return rebased_commits(repository.git, base, pull.head_sha, committer)
    if method == "squash":
        author = commits_of(repository, pull)[0].author
        return squash_commit(
            repository.git, base, pull.head_sha, message_of(title, message), Person(author.name, author.email, now())
        )
    return merge_commit(repository.git, base, pull.head_sha, message_of(title, message), committer)


def default_message(repository: Repository, issue: Issue, method: str) -> tuple[str, str]:
    """Return the title and text GitHub gives a merge when nobody writes one."""
    pull = issue.pull
    if pull is None or method != "squash":
        head = f"{pull.head_owner}/{pull.head}" if pull else ""
        return f"Merge pull request #{issue.number} from {head}", issue.title
    commits = commits_of(repository, pull)
    if len(commits) == 1:
        return f"{commits[0].subject} (#{issue.number})", commits[0].message.partition("\n")[2].strip()
    return f"{issue.title} (#{issue.number})", "\n\n".join(f"* {commit.message}" for commit in commits)


def message_of(title: str, message: str) -> str:
    """Join a title and a text as git wants a commit message."""
    return f"{title}\n\n{message}".strip() + "\n"


def record_merge(world: World, issue: Issue, sha: str, merger: User) -> None:
    """Close a pull request whose merge commit is on the base branch."""
    pull = issue.pull
    if pull is None:
        return
    pull.merge_commit, pull.merged_by, pull.merged_at, pull.auto_merge = sha, merger, now(), None
    close(world, issue, merger)
    world.note(issue, "merged", merger, commit=sha)


def close(world: World, issue: Issue, actor: User, reason: str | None = None) -> None:
    """Close an issue or pull request."""
    issue.state, issue.closed_at, issue.closed_by, issue.state_reason = "closed", now(), actor, reason
    world.note(issue, "closed", actor)
