"""What Graph does beyond what every directory does: its habits, its contradictions and its silences."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from connectors.base import GroupPage
from connectors.errors import CursorExpired, NeedsPerson, Permanent, Transient
from connectors.simulators.microsoft365 import Fault
from connectors.simulators.serving import Answer, LoopbackServer, Request
from policies.model import FOUND, AccountId
from tests.connectors.contract.town import Mirror, people, read
from tests.connectors.contract.towns.microsoft365 import Microsoft365Town
from tests.proves import proves


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Microsoft365Town]:
    with Microsoft365Town.founded(tmp_path) as town:
        yield town


def habit(town: Microsoft365Town, **habits: object) -> None:
    town.contoso.habits = replace(town.contoso.habits, **habits)  # type: ignore[arg-type]


# Users


def test_the_recycle_bin_may_be_told_in_a_first_round(town: Microsoft365Town) -> None:
    habit(town, tells_deleted_in_first_round=True)
    ada, ben = people(town, 2)
    town.leave(ben)

    mirror = read(town.open())

    assert mirror.names.keys() == {ada} and mirror.gone == {ben: "deleted"}


def test_a_patch_of_what_changed_alone_leaves_the_rest(town: Microsoft365Town) -> None:
    habit(town, sparse=True)
    ada = town.contoso.hire("Ada Winter", department="Finance", city="Bergen")
    mirror = read(town.open())
    town.contoso.update_user(ada, department=None)

    told = Mirror().read(town.open().pull(mirror.cursor))
    mirror.read(told.pages)

    assert told.accounts[ada].city is None
    assert (mirror.accounts[ada].department, mirror.accounts[ada].city) == ("", "Bergen")


def test_somebody_nobody_ever_saw_may_be_told_gone(town: Microsoft365Town) -> None:
    people(town, 2)
    town.simulator.order(Fault("unknown_removed", reason="changed"))

    assert list(read(town.open()).gone.values()) == ["deleted"]


@proves("S6")
def test_a_guest_has_no_mailbox_and_neither_has_who_has_no_mail(town: Microsoft365Town) -> None:
    ada = town.hire("Ada Winter")
    pat = town.contoso.hire("Pat Guest", guest=True, mail=None)
    service = town.contoso.hire("Service", mail=None)

    accounts = read(town.open()).accounts

    assert {id: accounts[id].mailbox for id in (ada, pat, service)} == {ada: None, pat: "none", service: "none"}
    assert (accounts[pat].guest, accounts[ada].guest) == (True, False)


@proves("S6")
def test_a_change_of_licenses_or_aliases_brings_the_account_though_neither_is_read(town: Microsoft365Town) -> None:
    ada, ben = people(town, 2)
    mirror = read(town.open())
    town.contoso.update_user(ada, assignedLicenses=[])
    town.contoso.update_user(ben, proxyAddresses=["SMTP:b@contoso.example"])

    assert Mirror().read(town.open().pull(mirror.cursor)).accounts.keys() == {ada, ben}


@proves("Z2")
def test_a_link_that_an_earlier_answer_used_up_is_asked_once_more(town: Microsoft365Town) -> None:
    hired = people(town, 3 * town.page)
    town.simulator.order(Fault("page_lost", "/users/delta"))

    assert read(town.open()).names == hired


@pytest.mark.parametrize("kind", ["resync", "expired", "malformed"])
@proves("Z2")
def test_a_round_that_dies_in_its_middle_ends_without_a_cursor(town: Microsoft365Town, kind: str) -> None:
    people(town, 3 * town.page)
    town.simulator.order(Fault(kind, "/users/delta", times=None))  # type: ignore[arg-type]
    mirror = Mirror()

    with pytest.raises(CursorExpired):
        mirror.read(town.open().pull(None))

    assert mirror.cursor is None


def test_a_resync_before_a_round_has_begun_is_waited_for(town: Microsoft365Town) -> None:
    def maintained(request: Request) -> Answer:
        if "/users/delta" in request.target:
            return Answer(410, {"Location": "/"}, b'{"error": {"code": "resyncRequired"}}')
        return town.simulator.answer(request)

    with LoopbackServer(maintained) as server:
        town.url = server.url
        with pytest.raises(Transient) as failed:
            read(town.open())

    assert not isinstance(failed.value, CursorExpired)


@proves("Z2")
def test_a_cursor_lives_seven_days(town: Microsoft365Town) -> None:
    hired = people(town, 2)
    mirror = read(town.open())
    town.world.sleep(8 * 86_400)

    with pytest.raises(CursorExpired):
        list(town.open().pull(mirror.cursor))

    assert read(town.open()).names == hired


def test_a_place_inside_a_walk_that_grew_too_old_is_given_up(town: Microsoft365Town) -> None:
    people(town, 3 * town.page)
    first = next(town.open().pull(None))
    town.world.sleep(8 * 86_400)

    with pytest.raises(CursorExpired):
        list(town.open().pull(None, first.resume))


def test_a_cursor_of_groups_is_not_taken_for_one_of_users(town: Microsoft365Town) -> None:
    *_, last = town.open().pull_groups(None, [town.create_group("Backup Staff")])

    with pytest.raises(CursorExpired):
        list(town.open().pull(last.cursor))


@proves("Z11")
def test_a_cursor_of_one_tenant_is_not_used_for_another(town: Microsoft365Town, tmp_path: Path) -> None:
    people(town, 1)
    cursor = read(town.open()).cursor
    assert cursor is not None
    other = cursor.replace(town.tenant, "00000000-0000-4000-8000-000000000001")

    with pytest.raises(CursorExpired):
        list(town.open().pull(other))


def test_a_token_that_grows_old_in_a_walk_is_renewed(town: Microsoft365Town) -> None:
    hired = people(town, 3 * town.page)
    town.simulator.order(Fault("unauthorized", "/users/delta", after=1))

    assert read(town.open()).names == hired
    assert town.world.slept == []


def test_claims_that_graph_asks_for_in_a_walk_are_brought(town: Microsoft365Town) -> None:
    hired = people(town, 3 * town.page)
    town.simulator.order(Fault("claims", "/users/delta", after=1))

    assert read(town.open()).names == hired


@proves("Z9")
def test_a_consent_that_is_withdrawn_needs_a_person(town: Microsoft365Town) -> None:
    people(town, 1)
    read(town.open())
    town.contoso.withdraw_consent(town.simulator.app.client_id)

    with pytest.raises(NeedsPerson) as needed:
        read(town.open())

    assert "consent" in needed.value.remedy


@pytest.mark.parametrize("kind", ["reset", "cut", "cut_connection"])
@proves("Z2")
def test_a_connection_that_breaks_is_tried_again(town: Microsoft365Town, kind: str) -> None:
    hired = people(town, 3 * town.page)
    town.simulator.order(Fault(kind, "/users/delta", after=1, times=2))  # type: ignore[arg-type]

    assert read(town.open()).names == hired
    assert town.world.waited == 1 + 2


@proves("Z11")
def test_a_token_that_cannot_be_read_makes_the_tenant_be_asked(town: Microsoft365Town) -> None:
    """As where a proxy or a coming form of tokens makes them opaque."""
    people(town, 1)
    town.contoso.grant("Organization.Read.All")
    tokens: dict[str, str] = {}

    def opaque(request: Request) -> Answer:
        kept = request.headers.get("authorization", "").removeprefix("Bearer ")
        answer = town.simulator.answer(
            replace(request, headers={**request.headers, "authorization": f"Bearer {tokens.get(kept, kept)}"})
        )
        if b'"access_token"' not in (answer.body if isinstance(answer.body, bytes) else b""):
            return answer
        token = answer.body.partition(b'"access_token":"')[2].partition(b'"')[0]  # type: ignore[union-attr]
        tokens["opaque"] = token.decode()
        return replace(answer, body=answer.body.replace(token, b"opaque"))  # type: ignore[union-attr]

    with LoopbackServer(opaque) as server:
        town.url = server.url
        mirror = read(town.open())

    assert mirror.pages[0].tenant == town.tenant


@proves("Z9")
def test_throttling_of_the_application_lets_its_other_tenants_wait_too(town: Microsoft365Town) -> None:
    people(town, 1)
    contoso, fabrikam = town.open(), town.open_another()
    town.simulator.order(Fault("throttle", "/users/delta", scope="application", retry_after=600))
    with pytest.raises(Transient):
        read(contoso)
    asked = town.requests()

    with pytest.raises(Transient) as failed:
        read(fabrikam)
    assert (failed.value.scope, failed.value.retry_after, town.requests()) == ("application", 600, asked)

    town.world.sleep(570)
    read(fabrikam)
    assert town.world.waited >= 600


@proves("Z9")
def test_throttling_of_a_tenant_is_no_concern_of_another(town: Microsoft365Town) -> None:
    people(town, 1)
    fabrikam = town.open_another()
    town.simulator.order(Fault("throttle", "/users/delta", retry_after=600))
    with pytest.raises(Transient):
        read(town.open())

    read(fabrikam)
    assert town.world.slept == []


@proves("Z9")
def test_throttling_of_the_application_inside_a_batch_is_told_to_all(town: Microsoft365Town) -> None:
    (ada,) = people(town, 1)
    fault = Fault("throttle", "/users/*/mailboxSettings/*", scope="application", retry_after=600)
    town.simulator.order(fault)
    with pytest.raises(Transient):
        list(town.open().mailboxes([AccountId(ada)]))

    with pytest.raises(Transient) as failed:
        read(town.open_another())
    assert failed.value.scope == "application"


# Groups


@proves("Z2")
def test_a_group_that_is_told_alive_and_deleted_in_one_round_is_asked_for(town: Microsoft365Town) -> None:
    (ada,) = people(town, 1)
    staff = town.create_group("Backup Staff", [ada])
    *_, last = town.open().pull_groups(None, [staff])
    town.rename_group(staff, "Backed-up Staff")
    town.simulator.order(Fault("contradict", "/groups/delta"))

    pages = list(town.open().pull_groups(last.cursor, [staff]))

    told = [group for page in pages for group in page.groups]
    assert [group.gone for group in told] != [False] and not told[-1].gone
    assert [id for page in pages for id in page.whole] == [staff]
    assert {edge.member for page in pages for edge in page.edges} == {ada}


def test_devices_and_other_things_are_no_members_for_us(town: Microsoft365Town) -> None:
    (ada,) = people(town, 1)
    laptop = town.contoso.create_device("Laptop")
    staff = town.create_group("Backup Staff", [ada, laptop])

    edges = [edge for page in town.open().pull_groups(None, [staff]) for edge in page.edges]

    assert [edge.member for edge in edges] == [ada]


def test_groups_that_came_one_by_one_share_requests_once_that_spares_many(town: Microsoft365Town) -> None:
    cursor, wanted, asked = None, list[str](), list[int]()
    for n in range(12):
        wanted.append(town.create_group(f"Team {n}"))
        *_, last = town.open().pull_groups(cursor, wanted)
        town.simulator.forget_requests()
        *_, last = town.open().pull_groups(last.cursor, wanted)
        cursor = last.cursor
        asked.append(sum(town.simulator.requests().values()))

    assert asked == [*range(1, 10), 1, 2, 3]


def test_wanted_ids_may_be_written_in_capitals(town: Microsoft365Town) -> None:
    staff = town.create_group("Backup Staff")

    pages = list(town.open().pull_groups(None, [staff.upper()]))

    assert [id for page in pages for id in page.whole] == [staff]


def test_a_stream_of_groups_that_dies_in_its_middle_ends_without_a_cursor(town: Microsoft365Town) -> None:
    hired = people(town, 4 * town.page)
    large = town.create_group("Large", hired)
    *_, last = town.open().pull_groups(None, [large])
    for id in list(hired)[: 3 * town.page]:
        town.quit(large, id)
    town.simulator.order(Fault("expired", "/groups/delta", after=1, times=None))
    pages: list[GroupPage] = []

    with pytest.raises(CursorExpired):
        pages.extend(town.open().pull_groups(last.cursor, [large]))

    assert pages and not any(page.cursor for page in pages)


# Looking up


@proves("D4")
def test_who_is_restored_between_two_questions_is_found(town: Microsoft365Town) -> None:
    ada, ben = people(town, 2)
    town.leave(ada)

    def restores(request: Request) -> Answer:
        answer = town.simulator.answer(request)
        if request.target.startswith("/v1.0/directoryObjects") and town.contoso.users.deleted:
            town.come_back(ada)
        return answer

    with LoopbackServer(restores) as server:
        town.url = server.url
        seen = list(town.open().look_up([AccountId(ada), AccountId(ben)]))

    assert [sighting.seen for sighting in seen] == [FOUND, FOUND]


@proves("D4")
def test_an_account_whose_place_in_the_bin_cannot_be_asked_is_unknown(town: Microsoft365Town) -> None:
    ada, ben = people(town, 2)
    town.leave(ada)
    town.simulator.order(Fault("error", f"/directory/deletedItems/{ada}", times=None))

    seen = {sighting.id: sighting.seen for sighting in town.open().look_up([AccountId(ada), AccountId(ben)])}

    assert seen == {ada: "unknown", ben: FOUND}


# Batches


def test_an_item_that_fails_for_good_is_left_unanswered_and_the_others_are_not(town: Microsoft365Town) -> None:
    ada, ben, cy = people(town, 3)
    town.simulator.order(Fault("error", f"/users/{ben}/mailboxSettings/userPurpose", times=None))

    answers = list(town.open().mailboxes([AccountId(id) for id in (ada, ben, cy)]))

    assert {answer.id for answer in answers} == {ada, cy}
    assert town.world.waited == 1 + 2 + 4


@pytest.mark.parametrize("dropped", ["item", "batch"])
def test_an_item_that_a_batch_forgets_is_asked_again(town: Microsoft365Town, dropped: str) -> None:
    (ada,) = people(town, 1)
    forgetful = [True]

    def forgets(request: Request) -> Answer:
        if request.target.endswith("$batch") and forgetful.pop() if forgetful else False:
            body = b'{"responses": []}' if dropped == "item" else b'{"responses": [{"id": "0", "sta'
            return Answer(200, {"Content-Type": "application/json"}, body)
        return town.simulator.answer(request)

    with LoopbackServer(forgets) as server:
        town.url = server.url
        answers = list(town.open().mailboxes([AccountId(ada)]))

    assert [answer.mailbox for answer in answers] == ["user"]


def test_a_group_that_cannot_be_looked_up_by_name_is_an_error_and_not_nobody(town: Microsoft365Town) -> None:
    town.simulator.order(Fault("error", "/groups", times=None))

    with pytest.raises(Transient, match="looking up the group 'Backup Staff' failed"):
        list(town.open().find_groups(["Backup Staff"]))


def test_a_name_that_graph_refuses_is_our_mistake_and_said_so(town: Microsoft365Town) -> None:
    town.simulator.order(changed(Fault("error", "/groups", times=None), status=400))

    with pytest.raises(Permanent, match="was refused"):
        list(town.open().find_groups(["Backup Staff"]))


@proves("G3")
def test_an_empty_page_before_the_group_is_not_its_absence(town: Microsoft365Town) -> None:
    group = town.contoso.create_group("Backup Staff")
    town.simulator.order(Fault("empty_page", "/groups"))

    [found] = town.open().find_groups(["Backup Staff"])

    assert [each.id for each in found.groups] == [group]
