"""Two targets never share a backport branch, and a backport is found again under the name that it was pushed to."""

from __future__ import annotations

import pytest

from bot.models import Opened
from tests.pipeline.landing import unproven
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git


def heads(office: Office) -> dict[str, str]:
    """Return each backport pull request's head by its base."""
    return {pull.base.ref: pull.head.ref for pull in office.backports()}


@pytest.mark.parametrize("other_name", ["release-1.2", "Release/1.2"])
@pytest.mark.parametrize("is_together", [True, False])
def test_targets_whose_names_fill_the_template_alike_have_a_branch_each(
    office: Office, other_name: str, is_together: bool
) -> None:
    git(office.git_dir, "branch", other_name, "release/1.2")
    lenient = unproven(office)
    asked = (
        [f"/backport release/1.2 {other_name}"] if is_together else ["/backport release/1.2", f"/backport {other_name}"]
    )
    for command in asked:
        lenient.say(command, on=9)
    assert len({head.casefold() for head in heads(office).values()}) == 2
    for pull in office.backports():
        assert [file.filename for file in pull.get_files()] == ["widget/hello.py"]


def test_an_open_backport_keeps_its_branch_when_a_name_alike_appears(office: Office) -> None:
    lenient = unproven(office)
    lenient.say("/backport release/1.2", on=9)
    git(office.git_dir, "branch", "release-1.2", "release/1.2")
    lenient.say("/backport release/1.2 --redo", on=9)
    lenient.say("/backport release-1.2", on=9)
    names = heads(office)
    assert names["release/1.2"] == "backport/9-to-release-1.2"
    assert names["release-1.2"].startswith("backport/9-to-release-1.2-")
    git(office.git_dir, "branch", "--delete", "--force", "release/1.2")
    (second_outcome,) = lenient.say("/backport release-1.2", on=9)
    assert isinstance(second_outcome, Opened)
    assert not second_outcome.created


def test_a_name_without_its_like_stays_plain(office: Office) -> None:
    unproven(office).say("/backport release/1.2", on=9)
    assert heads(office) == {"release/1.2": "backport/9-to-release-1.2"}


def test_what_another_repository_backported_there_is_not_taken_for_ours(office: Office) -> None:
    lenient = unproven(office)
    lenient.say("/backport release/1.2", on=9)
    (pull,) = office.backports()
    foreign = pull.body.replace(f"repository={REPOSITORY}", "repository=rocm/widget")
    office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(pull.number).edit(body=foreign)
    lenient.say("/backport release/1.2", on=9)
    assert sorted(pull.head.ref.startswith("backport/9-to-release-1.2-") for pull in office.backports()) == [
        False,
        True,
    ]
