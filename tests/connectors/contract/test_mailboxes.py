"""Stories of mailboxes, played for every kind of directory that is asked for them one by one."""

import pytest

from connectors.errors import NeedsPerson, Transient
from policies.model import AccountId
from tests.connectors.contract import town as contract
from tests.connectors.contract.town import Town, people, story
from tests.proves import proves


def kinds(town: Town, ids: list[str]) -> dict[str, str]:
    return {answer.id: answer.mailbox for answer in town.open().mailboxes([AccountId(id) for id in ids])}


@story("mailbox_queue")
@proves("S6")
def test_every_kind_of_mailbox_is_told_in_our_words(town: Town) -> None:
    hired = list(people(town, 7))
    for id, kind in zip(hired, ["user", "linked", "others", "shared", "room", "equipment", "none"], strict=True):
        town.give_mailbox(id, kind)

    found = kinds(town, hired)

    assert list(found.values()) == ["user", "user", "user", "shared", "room", "equipment", "none"]


@story("mailbox_queue")
def test_many_mailboxes_are_told_each_once(town: Town) -> None:
    hired = list(people(town, 170))
    for id in hired[::3]:
        town.give_mailbox(id, "shared")

    found = kinds(town, hired)

    assert list(found) == hired
    assert [id for id in hired if found[id] == "shared"] == hired[::3]


@story("mailbox_queue")
@proves("S6")
def test_a_mailbox_that_is_kept_from_us_is_unknown_and_never_a_users(town: Town) -> None:
    ada, ben, cy = people(town, 3)
    town.give_mailbox(ben, "refused")

    assert kinds(town, [ada, ben, cy]) == {ada: "user", cy: "user", ben: "unknown"}
    assert kinds(town, [ben]) == {ben: "unknown"}


@story("mailbox_queue", trouble=contract.DENIED)
@proves("S6")
def test_mailboxes_that_are_all_kept_from_us_need_a_person(town: Town) -> None:
    hired = list(people(town, 150))
    town.trouble(contract.DENIED, "mailboxes")

    with pytest.raises(NeedsPerson) as needed:
        kinds(town, hired)

    assert needed.value.feature == "mailboxes"
    assert "unknown_mailboxes: user" in needed.value.remedy
    assert contract.read(town.open()).names.keys() == set(hired)


@story("mailbox_queue", trouble=contract.BUSY)
def test_a_throttled_mailbox_is_asked_again_alone(town: Town) -> None:
    hired = list(people(town, 19))
    town.trouble(contract.BUSY, "mailboxes")

    assert kinds(town, hired) == dict.fromkeys(hired, "user")
    assert 7 <= town.world.waited <= 8
    assert town.requests() == 2 + 19 + 1


@story("mailbox_queue", trouble=contract.BUSY_FOR_LONG)
@proves("Z9")
def test_mailboxes_that_are_throttled_for_long_are_left_for_later(town: Town) -> None:
    hired = list(people(town, 3))
    town.trouble(contract.BUSY_FOR_LONG, "mailboxes")

    with pytest.raises(Transient) as failed:
        kinds(town, hired)

    assert failed.value.retry_after == 600 and town.world.slept == []


@story("mailbox_queue")
def test_nobody_to_ask_for_and_nothing_asked(town: Town) -> None:
    assert kinds(town, []) == {}
    assert town.requests() == 0


@story("mailbox_queue")
def test_answers_that_nobody_waits_for_are_not_asked_for(town: Town) -> None:
    hired = list(people(town, 400))
    answers = town.open().mailboxes([AccountId(id) for id in hired])

    next(answers)
    del answers

    assert town.requests() < 200
