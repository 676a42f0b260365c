"""What is raised where the harness, and not the target, is at its limit: an error in the report, not a failure."""


class HarnessError(Exception):
    """The target cannot be driven as it is: nothing was found out about it."""


class TargetFailed(AssertionError):
    """The target raised, died, hung or did not keep to what it was asked: a finding about it."""
