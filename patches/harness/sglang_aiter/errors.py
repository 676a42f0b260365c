"""What the harness raises when it, and not the target, is at its limit: an error in the report, not a failure."""


class HarnessError(Exception):
    """The target cannot be driven as it is: nothing was found out about it."""


class NotProvided(HarnessError, AttributeError):
    """The target reads something that the harness does not stand in for. An AttributeError, so that `hasattr` works."""
