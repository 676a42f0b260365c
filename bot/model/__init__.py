"""The nouns of a backport, as frozen values.

Owns the types that pass from one room to the next and what is true of them by themselves.
Imports nothing of ours and touches nothing outside: no git, no HTTP, no files."""

from bot.model.basics import Progress, Sha, StopWhen, never, silent
from bot.model.candidate import (
    Candidate,
    Certainty,
    CompanionCommit,
    Fidelity,
    Method,
    Resolution,
    RungOutcome,
    TargetPlan,
)
from bot.model.check import Affectedness, CheckReport, Evidence
from bot.model.commits import Commit, MergeMethod, RelatedCommit, Signature, SourceTree
from bot.model.conflict import Conflict, ConflictFile, ConflictKind, Outlook, TargetForecast
from bot.model.endings import (
    AlreadyApplied,
    Cancelled,
    Conflicted,
    Failed,
    NotAffected,
    NotProven,
    Opened,
    Status,
    TargetResult,
    WouldOpen,
)
from bot.model.proof import (
    CaseOutcome,
    CaseResult,
    CommandSuite,
    DeclaredFailure,
    Device,
    KnownFailure,
    Suite,
    SuiteRun,
    Verdict,
    VerdictOutcome,
    WorkflowRun,
)
from bot.model.pulls import CheckRunText, Comment, Details, ListedPullRequest, PullRequest, ReviewThread
from bot.model.request import BackportOptions, BackportRequest

__all__ = [
    "Affectedness",
    "AlreadyApplied",
    "BackportOptions",
    "BackportRequest",
    "Cancelled",
    "Candidate",
    "CaseOutcome",
    "CaseResult",
    "Certainty",
    "CheckReport",
    "CheckRunText",
    "CommandSuite",
    "Comment",
    "Commit",
    "CompanionCommit",
    "Conflict",
    "ConflictFile",
    "ConflictKind",
    "Conflicted",
    "DeclaredFailure",
    "Details",
    "Device",
    "Evidence",
    "Failed",
    "Fidelity",
    "KnownFailure",
    "ListedPullRequest",
    "MergeMethod",
    "Method",
    "NotAffected",
    "NotProven",
    "Opened",
    "Outlook",
    "Progress",
    "PullRequest",
    "RelatedCommit",
    "Resolution",
    "ReviewThread",
    "RungOutcome",
    "Sha",
    "Signature",
    "SourceTree",
    "Status",
    "StopWhen",
    "Suite",
    "SuiteRun",
    "TargetForecast",
    "TargetPlan",
    "TargetResult",
    "Verdict",
    "VerdictOutcome",
    "WorkflowRun",
    "WouldOpen",
    "never",
    "silent",
]
