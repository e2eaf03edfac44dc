"""One broken policy file per problem, with the exact message that a person is shown beside it."""

from pathlib import Path

import pytest

from policies.errors import PolicyError
from policies.reader import decoded, read_policy, read_provider
from tests.policies.kinds import KINDS
from tests.policies.texts import BROKEN
from tests.proves import proves

FILES = sorted(BROKEN.glob("*.yaml"))


def told(path: Path) -> str:
    """What `policy check` tells of the file."""
    read = read_provider if path.name.startswith("provider_") else read_policy
    with pytest.raises(PolicyError) as caught:
        read(decoded(path.read_bytes(), path.name), path.name, KINDS)
    return "".join(f"{problem.with_caret()}\n" for problem in caught.value.problems)


@proves("Z4")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_file_is_told_with_place_and_what_was_expected(path: Path) -> None:
    assert told(path) == path.with_suffix(".txt").read_text()


def test_every_message_has_its_file() -> None:
    assert sorted(path.stem for path in BROKEN.glob("*.txt")) == [path.stem for path in FILES]


def test_no_message_shows_a_secret() -> None:
    secrets = ("Pa55w0rd", "MfKQ9r8G", "MC4CAQAwBQ", "MCowBQYDK2")
    shown = "".join(told(path) for path in FILES)
    assert not [secret for secret in secrets if secret in shown]
