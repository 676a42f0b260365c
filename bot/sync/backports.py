"""The backport pull requests that exist, by original and branch: the bot's own, and what people and tools opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from bot.config import Config
from bot.history.message_references import parse_references
from bot.models import ListedPullRequest
from bot.text.markers import parse_pull_request_marker

Backports = Mapping[tuple[int, str], ListedPullRequest]
"""(number of the original, branch) → its newest backport pull request there."""


NumberOf = Callable[[str], int | None]
"""Returns the number of the original that a hash means, perhaps abbreviated; None if it means none."""


def find_backports(
    pulls: Mapping[int, ListedPullRequest], branches: Mapping[str, object], main: str, number_of: NumberOf
) -> Backports:
    """Find the pull requests into stable branches that are backports, by our branch names and by convention."""
    backports: dict[tuple[int, str], ListedPullRequest] = {}
    for number, pull in sorted(pulls.items()):
        # A stranger's pull request counts only once it is merged: closing it is not a maintainer's refusal.
        if pull.base in branches and pull.base != main and (pull.insider or pull.merged):
            originals = (original for original in _originals_of(pull, number_of) if original != number)
            backports.update({(original, pull.base): pull for original in originals})
    return backports


def count_open(pulls: Mapping[int, ListedPullRequest], config: Config) -> Mapping[str, int]:
    """Count the bot's open backport pull requests on each branch."""
    open_on: dict[str, int] = defaultdict(int)
    for pull in pulls.values():
        key = parse_pull_request_marker(pull.body)
        if pull.state == "open" and key and key.repository == config.repository and key.target == pull.base:
            open_on[pull.base] += 1
    return open_on


def _originals_of(pull: ListedPullRequest, number_of: NumberOf) -> Iterator[int]:
    # The rule for branch names reads the title of a merge, and that for titles the one of a squash.
    for title in (f"Merge pull request #{pull.number} from x/{pull.head}", f"{pull.title} (#{pull.number})"):
        references = parse_references(f"{title}\n\n{pull.title}\n\n{pull.body}")
        yield from references.backports
        names = (*references.sources, *references.hashes)
        yield from (number for name in names if (number := number_of(name)) is not None)
