"""The harness's limits that are about sglang."""

from isolated.errors import HarnessError


class NotProvided(HarnessError, AttributeError):
    """The target reads something that the harness does not stand in for. An AttributeError, so that `hasattr` works."""
