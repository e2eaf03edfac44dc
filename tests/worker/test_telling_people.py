"""Telling people by mail: what needs them, gathered, with the command; and notices before data goes (A2, R1, M3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from connectors.simulators.seller.faults import Fault
from tests.proves import proves
from tests.worker.outside import OPS, Mailbox, a_mailbox
from tests.worker.shop import a_shop
from tests.worker.test_retention import after, open_notices, purged, released
from tests.worker.test_telling_programs import Killed, receivers, tell
from tests.worker.world import Customer, World
from worker.operations.pool_pass import pass_pools
from worker.operations.warning import warn_of_stocks
from worker.telling import CLAIM, hasten
from worker.telling.people import PAUSE

STAFF = "- {name: staff, groups: [Staff], license: standard}"
NOTIFY = f"[email: {{to: [{OPS}]}}]"
TIGHT = "{archive: {most: 1, share: 100%}}"


@pytest.fixture
def mailbox(world: World) -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with a_mailbox(world) as mailbox:
        yield mailbox


def a_hold_and_an_order(contoso: Customer) -> None:
    """Two people are deleted, which is held; two more are hired, which is an order to approve."""
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    buying = "{standard: {auto: true, approve_above: 0, price: 10.00 USD}}"
    contoso.policy(STAFF, notify=NOTIFY, safety=TIGHT, purchasing=buying)
    contoso.world.add_lot("standard", 2)
    contoso.world.add_lot("archived", 2)
    contoso.sync()
    contoso.delete("Ada", "Ben")
    contoso.hire("Cleo", "Dan")
    contoso.group("More", "Cleo", "Dan")
    contoso.policy(STAFF.replace("[Staff]", "[Staff, More]"), notify=NOTIFY, safety=TIGHT, purchasing=buying)
    contoso.sync()


@proves("A2")
def test_one_mail_gathers_what_needs_a_person_with_numbers_limits_and_commands(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    a_hold_and_an_order(contoso)
    tell(world)
    [letter] = mailbox.letters
    assert (letter["To"], letter["From"]) == (OPS, "Seatkeeper <seatkeeper@northwind.example>")
    assert letter["Subject"] == "Seatkeeper: 1 hold, 1 order to approve (contoso)"
    with world.store.read() as tx:
        [plan], [order] = tx.plans.listing(), tx.orders.listing()
    assert f"2 × archive of contoso-m365: {plan.why}" in mailbox.text()
    assert f"seatkeeper plan approve {plan.hash[:19]}" in mailbox.text()
    assert f"{order.id}: {order.seats} standard seats, estimate {order.estimate}" in mailbox.text()
    assert f"seatkeeper orders approve {order.id}" in mailbox.text()
    before = world.dump()
    tell(world)
    assert (len(mailbox.letters), world.dump()) == (1, before)


@proves("A2")
def test_what_comes_after_a_mail_waits_for_the_next_one_and_what_was_decided_is_left_out(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    a_hold_and_an_order(contoso)
    tell(world)
    world.add_lot("standard", 5)
    contoso.file.unlink()
    world.load()
    tell(world)
    assert len(mailbox.letters) == 1
    world.later(PAUSE)
    tell(world)
    assert mailbox.letters[1]["Subject"] == "Seatkeeper: 1 frozen directory (contoso)"
    assert "seatkeeper directory retire contoso-m365" in mailbox.text()


@proves("A2", "Z6")
def test_a_mail_that_was_sent_and_not_recorded_goes_again_under_the_same_message_id(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    a_hold_and_an_order(contoso)

    def mark(step: str) -> None:
        if step == "mail sent":
            raise Killed

    world.restart(mark)
    with pytest.raises(Killed):
        tell(world)
    world.restart()
    contoso.file.unlink()
    world.load()
    world.later(CLAIM + timedelta(seconds=1))
    tell(world)
    assert len(mailbox.names) == 2 and len(set(mailbox.names)) == 1
    world.later(PAUSE)
    tell(world)
    assert len(set(mailbox.names)) == 2 and "frozen directory" in mailbox.letters[2]["Subject"]


@proves("R1", "A2")
def test_a_notice_names_each_account_and_the_day_and_is_accepted_with_the_mail(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    released(world, contoso, "Ada", "Ben", notify=NOTIFY)
    mailbox.refuses = "451 not now"
    after(world, contoso, days=30)
    tell(world)
    assert (mailbox.letters, open_notices(world)) == ([], [(30, 2)])
    mailbox.refuses = None
    world.later(hours=1)
    tell(world)
    assert open_notices(world) == []
    day = (world.clock() + timedelta(days=30) - timedelta(hours=1)).date()
    assert f"Backups of 2 accounts may go from {day} on" in mailbox.text()
    assert "- ada@contoso.example (contoso-m365)" in mailbox.text() and "- ben@contoso.example" in mailbox.text()
    assert world.rows("SELECT accepted_by FROM notice") == [(f"email:{OPS}",)]
    for days in (23, 6, 1):
        after(world, contoso, days=days, hours=1)
        tell(world)
    assert purged(world) == 2
    assert world.is_sound()


@proves("R1")
def test_without_a_mail_server_nothing_goes_and_status_says_what_to_do(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada", notify=NOTIFY)
    for days in (30, 23, 6, 1, 100):
        after(world, contoso, days=days)
        tell(world)
    assert purged(world) == 0
    [state] = receivers(world)
    assert (state.state, state.remedy) == ("failing", "set SEATKEEPER_SMTP_URL")


@proves("A2")
def test_a_directory_that_fails_and_recovers_is_told_once_each(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.policy(STAFF, notify=NOTIFY)
    contoso.policy(STAFF, notify=NOTIFY, tenant="no-such-tenant.example")
    contoso.sync()
    world.later(hours=2)
    contoso.sync()
    tell(world)
    assert mailbox.letters[0]["Subject"] == "Seatkeeper: 1 failing directory (contoso)"
    assert "seatkeeper sync contoso-m365" in mailbox.text()
    contoso.policy(STAFF, notify=NOTIFY)
    world.later(hours=2)
    contoso.sync()
    tell(world)
    assert [letter["Subject"] for letter in mailbox.letters[1:]] == ["Seatkeeper: 1 recovered directory (contoso)"]


@proves("A2")
def test_a_low_stock_is_told_once_and_again_after_it_recovered(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    contoso.hire("Ada")
    contoso.policy(STAFF, notify=NOTIFY, warn_below="{standard: 3}")
    world.add_lot("standard", 5)
    warn_of_stocks(world.app)
    assert world.happened()["stock.low"] == 0
    contoso.hire("Ben", "Cleo", "Dan")
    contoso.group("Staff", "Ben", "Cleo", "Dan")
    contoso.sync()
    for _ in range(3):
        pass_pools(world.app)
    assert world.happened()["stock.low"] == 1
    tell(world)
    assert "- standard: 2 free, fewer than 3" in mailbox.text()
    world.add_lot("standard", 1)
    pass_pools(world.app)
    contoso.group("More", "Ada")
    contoso.policy(STAFF.replace("[Staff]", "[Staff, More]"), notify=NOTIFY, warn_below="{standard: 3}")
    contoso.sync()
    pass_pools(world.app)
    assert world.happened()["stock.low"] == 2
    contoso.policy(STAFF, notify=NOTIFY)
    pass_pools(world.app)
    assert world.rows("SELECT * FROM stock_warning") == []


@proves("M3", "A2")
def test_people_are_told_7_3_and_1_days_before_a_lot_ends_that_nothing_renews(
    world: World, contoso: Customer, mailbox: Mailbox
) -> None:
    contoso.policy(STAFF, notify=NOTIFY, licenses="{pool: own, renew: off}")
    lot = world.add_lot("standard", 40, company="contoso", expires=date(2026, 12, 1))
    told = []
    for days in (20.0, 3, 1, 4, 0.5, 0.5, 1):
        world.later(timedelta(days=days))
        pass_pools(world.app)
        tell(world)
        told.append(world.happened()["lot.expiring"])
    assert told == [0, 1, 1, 2, 2, 3, 3]
    assert len(mailbox.letters) == 3 and "(1 day ahead), 0 seats held" in mailbox.text()
    assert f"seatkeeper lots renew {lot}" in mailbox.text()


@proves("M3")
def test_a_lot_that_will_be_renewed_by_itself_is_not_told_to_end(world: World, contoso: Customer) -> None:
    contoso.policy(STAFF, licenses="{pool: own, renew_ahead: 2d}")
    world.add_lot("standard", 40, company="contoso", expires=date(2026, 12, 1))
    for days in (25, 2):
        world.later(timedelta(days=days))
        pass_pools(world.app)
    assert world.happened()["lot.expiring"] == 0


@proves("A2")
def test_a_mail_server_that_is_set_later_brings_everything(world: World, contoso: Customer) -> None:
    a_hold_and_an_order(contoso)
    tell(world)
    with a_mailbox(world) as mailbox:
        hasten(world.app, world.clock())
        tell(world)
        assert mailbox.letters[0]["Subject"] == "Seatkeeper: 1 hold, 1 order to approve (contoso)"


@proves("A2")
def test_addresses_that_the_server_refuses_are_shown_while_the_others_have_their_mail(wire: World) -> None:
    contoso = wire.customer()
    with a_mailbox(wire) as mailbox:

        async def handle_RCPT(
            server: object, session: object, envelope: object, address: str, options: list[str]
        ) -> str:
            if address.startswith("gone"):
                return "550 no such user"
            envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
            return "250 OK"

        mailbox.handle_RCPT = handle_RCPT  # type: ignore[attr-defined]
        contoso.policy(STAFF, notify=f"[email: {{to: [{OPS}, gone@contoso.example]}}]")
        contoso.file.unlink()
        wire.load()
        tell(wire)
        assert len(mailbox.letters) == 1
        [state] = receivers(wire)
        assert state.state == "healthy" and "gone@contoso.example" in (state.problem or "")


@proves("P7", "A2")
def test_a_refused_order_is_told_once_with_what_the_seller_said(wire: World) -> None:
    with a_mailbox(wire) as mailbox, a_shop(wire) as shop:
        shop.buys(notify=NOTIFY)
        shop.portal.order(Fault("refuse"))
        for _ in range(3):
            shop.sync()
            wire.later(hours=1)
        assert [letter["Subject"] for letter in mailbox.letters] == ["Seatkeeper: 1 refused order (contoso)"]
        assert f"- {shop.order.id}: 3 standard seats: card_declined" in mailbox.text()
        assert f"seatkeeper orders reopen {shop.order.id}" in mailbox.text()


def test_a_world_without_receivers_writes_nothing(world: World, contoso: Customer) -> None:
    contoso.policy(STAFF)
    before = world.dump()
    tell(world)
    warn_of_stocks(world.app)
    assert world.dump() == before
    assert replace(world.app.settings).smtp_url is None
