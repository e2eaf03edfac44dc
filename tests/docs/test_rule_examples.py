"""Every rule of docs/rules.md has an example, and every example is so."""

from pathlib import Path

import pytest

from tests.architecture.rules import read_rules
from tests.docs.stories import Teller, Untrue, stories
from tests.worker.world import World

RULES = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
STORIES = [pytest.param(text, id=f"{rule}-line-{number}") for rule, number, text in stories(RULES)]


@pytest.mark.parametrize("story", STORIES)
def test_the_example_of_a_rule_is_so(world: World, story: str) -> None:
    Teller(world).play(story)


def test_every_rule_that_is_built_has_an_example() -> None:
    built = {id for id, is_built in read_rules(RULES, "docs/rules.md").items() if is_built}
    told = {rule for rule, _, _ in stories(RULES)}
    assert built - told == set()


@pytest.mark.parametrize(
    ("story", "complaint"),
    [
        ("sing a song", "no line of a story: 'sing a song'"),
        ("Ada is hired\n→ Ada: standard", "Ada is not 'standard', but nothing"),
        ("1 standard seat\n→ 2 standard seats free", "standard seats free: 1, not 2"),
        ("licenses assign --where directory=nowhere", "refused, and the story does not say so"),
    ],
)
def test_a_story_that_is_not_so_names_the_line(world: World, story: str, complaint: str) -> None:
    with pytest.raises(Untrue, match=complaint):
        Teller(world).play(story)
