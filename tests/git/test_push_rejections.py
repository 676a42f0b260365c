"""A refused push is explained by what the server says, and by nothing else."""

from __future__ import annotations

import time

import pytest

from bot.git.connection import Answer
from bot.git.process import ProcessResult
from bot.git.push_rejections import explain_refusal, is_refusal

RULES = "error: GH013: Repository rule violations found for refs/heads/backport/1.\n\n- {}\n"
BY_RULES = "[remote rejected] (push declined due to repository rule violations)"
BY_HOOK = "[remote rejected] (pre-receive hook declined)"
PROTECTED = "[remote rejected] (protected branch hook declined)"


def remote(text: str) -> str:
    """Write what a server sends along as git prints it."""
    return "".join(f"remote: {line}        \n" for line in text.splitlines()) + "error: failed to push some refs\n"


@pytest.mark.parametrize(
    ("summary", "text", "remedy"),
    [
        (BY_RULES, RULES.format("Commits must have verified signatures."), "commit.verified"),
        (
            PROTECTED,
            "error: GH006: Protected branch update failed.\nerror: Commits must have verified signatures.",
            "signed",
        ),
        (BY_RULES, RULES.format("Branch name must match a given regex pattern: ^fix/"), "branch_name"),
        (BY_RULES, RULES.format("Cannot create ref due to creations being restricted."), "rule"),
        (BY_RULES, RULES.format("Commit message must match a given regex pattern: ^PROJ-"), "rule"),
        (BY_RULES, RULES.format("Committer email must match a given regex pattern: @acme"), "`committer`"),
        (BY_RULES, RULES.format("File path is restricted\n  .github/x"), "file"),
        (BY_RULES, RULES.format("Changes must be made through a pull request."), "rule"),
        (BY_RULES, RULES.format("GITHUB PUSH PROTECTION\n  - Push cannot contain secrets"), "secret"),
        (BY_HOOK, "error: GH009: Secrets detected! This push failed.", "secret"),
        (BY_HOOK, "error: GH007: Your push would publish a private email address.", "e-mail"),
        (BY_HOOK, "error: GH001: Large files detected.\nerror: File a.bin is 120.00 MB", "large"),
        (BY_HOOK, "error: GH008: Your push referenced at least 1 unknown Git LFS object:", "LFS"),
        (PROTECTED, "error: GH006: Protected branch update failed.\nerror: Cannot change this locked branch", "locked"),
        (
            PROTECTED,
            "error: GH006: Protected branch update failed.\nerror: Cannot force-push to this branch",
            "replacing",
        ),
        (BY_HOOK, "ticket.sh: failed with exit status 1\nno ticket named", "hook"),
        ("[remote rejected] (directory file conflict)", "", "in the way"),
        (
            "[remote rejected] (failed to update ref)",
            "error: cannot lock ref 'refs/heads/backport/1': 'refs/heads/backport' exists; cannot create it",
            "in the way",
        ),
        (BY_HOOK, "The branch name 'backport/1' does not match the required pattern ^fix/", "branch_name"),
        ("[remote rejected] (refusing to allow an integration to update .github/workflows/a.yml)", "", "Workflows"),
        (BY_HOOK, "This repository exceeded its LFS budget.", "used up"),
        (BY_HOOK, "error: This repository is over its size quota.", "used up"),
        ("[remote rejected] (You have exceeded a secondary rate limit)", "", "wait a while"),
        (BY_HOOK, "This repository has been locked for migration.", "shut"),
        (BY_HOOK, "Access to this repository has been disabled by GitHub staff.", "shut"),
        (BY_HOOK, "GitHub Enterprise is in read-only mode for maintenance.", "maintenance"),
        ("[remote rejected] (Internal Server Error)", "", "wait a while"),
        ("[remote rejected] (failure)", "fatal error in commit_refs", "wait a while"),
        ("[remote rejected] (push declined due to email privacy restrictions)", "", "e-mail"),
        ("[remote rejected] (push declined due to a detected secret)", "", "secret"),
        (
            "[remote rejected] (refusing to allow an OAuth App to update workflow `a.yml` without `workflow` scope)",
            "",
            "`Workflows: write`",
        ),
    ],
)
def test_each_kind_of_refusal_has_its_own_remedy(summary: str, text: str, remedy: str) -> None:
    refusal = explain_refusal(remote(text), summary)
    assert remedy in refusal.hint
    assert "write access" not in refusal.hint


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        ("remote: This repository was archived so it is read-only.\nfatal: … error: 403", "archived"),
        ("remote: Permission to a/b.git denied to bot.\nfatal: … error: 403", "write access"),
        ("remote: Write access to repository not granted.\nfatal: … error: 403", "write access"),
        ("remote: Repository not found.\nfatal: … error: 404", "not there"),
        ("remote: The `acme` organization has enabled or enforced SAML SSO.\nfatal: … error: 403", "single sign-on"),
        ("remote: ERROR: The acme organization has an IP allow list enabled\nfatal: … error: 403", "address"),
        ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", "large"),
    ],
)
def test_a_refusal_of_the_whole_request_is_explained_too(stderr: str, remedy: str) -> None:
    assert is_refusal(stderr, "")
    assert remedy in explain_refusal(stderr, "").hint


def test_words_that_are_not_known_are_quoted_on_one_line_without_backticks() -> None:
    text = "Resolving deltas: 100% (1/1), done.\nerror: GH099: `@all` ask\n\tthe moon" + " first" * 200
    refusal = explain_refusal(remote(text), BY_RULES.replace("repository rule violations", "lunar rules"))
    assert refusal.words.startswith("GH099: '@all' ask the moon first")
    assert "\n" not in refusal.words
    assert len(refusal.words) <= 400
    assert "The words above are the server's" in refusal.hint


@pytest.mark.parametrize("word", ["permission ", "paths ", "author name ", "over its "])
def test_hostile_words_of_a_server_cost_no_minutes(word: str) -> None:
    start = time.process_time()
    explain_refusal(f"remote: {word * 15_000}\n", "")
    assert time.process_time() - start < 5


def test_a_connection_that_failed_is_no_refusal() -> None:
    assert not is_refusal("fatal: unable to access 'http://x/': Could not resolve host: x", "")


@pytest.mark.parametrize(
    ("message", "is_lost"),
    [
        ("fatal: unable to access 'http://127.0.0.1/a/b.git/': The requested URL returned error: 403", True),
        ("remote: Write access to repository not granted.\nfatal: … error: 403", False),
        ("remote: Repository not found.\nfatal: … error: 404", False),
    ],
)
def test_only_a_refusal_without_a_reason_is_tried_again(message: str, is_lost: bool) -> None:
    assert Answer(ProcessResult(128, b"", message)).is_lost == is_lost
