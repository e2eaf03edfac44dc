"""What is shown: accounts by page, whatever the filter; an account by its name; how everything stands."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from store.account_filters import FEW, AccountFilter
from store.account_pages import AccountRow
from store.engine import Store
from store.errors import Ambiguous, NotFound
from store.overview import Setting
from store.times import micros
from store.transaction import Transaction
from tests.proves import proves
from tests.store.conftest import NOW, add_company, add_directory

AT = micros(NOW)
DAY = 24 * 3_600_000_000
EVERYTHING = AccountFilter()


def add_account(
    tx: Transaction, directory: int, id: str, *, address: str | None = None, state: str = "active", kind: str = "user"
) -> int:
    return int(
        tx.execute(
            "INSERT INTO account (directory, id, address, name, kind, state)"
            " VALUES (:directory, :id, :address, :name, :kind, :state) RETURNING key",
            {
                "directory": directory, "id": id, "address": f"{id}@contoso.example" if address is None else address,
                "name": id.title(), "kind": kind, "state": state,
            },
        ).scalar_one()
    )  # fmt: skip


def add_lot(
    tx: Transaction, license: str = "standard", *, pool: int = 0, days: int | None = 90, seats: int = 10
) -> int:
    return tx.lots.add(
        pool=pool, license=license, seats=seats, term="yearly", starts_at=AT - 365 * DAY,
        expires_at=None if days is None else AT + days * DAY, who="test", now=AT,
    ).key  # fmt: skip


def give(tx: Transaction, account: int, lot: int | None, license: str = "standard", source: str = "rule:staff") -> None:
    tx.execute(
        "INSERT INTO assignment (account, company, directory, license, through, lot, source, because, since)"
        " SELECT a.key, d.company, d.key, :license, :through, :lot, :source, 'member of Backup Staff', :since"
        " FROM account AS a JOIN directory AS d ON d.key = a.directory WHERE a.key = :account",
        {
            "account": account, "license": license, "lot": lot, "source": source, "since": AT,
            "through": "entitlement" if lot is None else "seat",
        },
    )  # fmt: skip


def make_wait(
    tx: Transaction,
    account: int,
    *,
    reason: str = "insufficient_licenses",
    kind: str = "assign",
    license: str = "standard",
) -> None:
    tx.execute(
        "INSERT INTO waiting (account, company, directory, license, through, rank, rule_position, rule, since, address,"
        " id, reason, kind, source, because) SELECT a.key, d.company, d.key, :license, 'seat', 30, 0, 'staff', :since,"
        " a.address, a.id, :reason, :kind, 'rule:staff', 'member of Backup Staff' FROM account AS a"
        " JOIN directory AS d ON d.key = a.directory WHERE a.key = :account",
        {"account": account, "license": license, "reason": reason, "kind": kind, "since": AT},
    )


def let_retain(tx: Transaction, account: int, *, purge_due: bool = False) -> None:
    tx.execute(
        "INSERT INTO retention (account, company, directory, license, started_at, ends, purge_due)"
        " SELECT a.key, d.company, d.key, 'standard', :now, :ends, :purge_due FROM account AS a"
        " JOIN directory AS d ON d.key = a.directory WHERE a.key = :account",
        {"account": account, "now": AT, "ends": AT + 60 * DAY, "purge_due": purge_due},
    )


def listed(store: Store, filter: AccountFilter = EVERYTHING) -> list[AccountRow]:
    with store.read() as tx:
        return list(tx.views.every_account(filter, AT))


def one(store: Store, id: str) -> AccountRow:
    return next(row for row in listed(store) if row.id == id)


def paged(store: Store, filter: AccountFilter, limit: int, examine: int | None) -> Iterator[AccountRow]:
    """All rows, a page at a time, each page in a transaction of its own."""
    after: str | None = None
    for _ in range(1_000):
        with store.read() as tx:
            page = tx.views.accounts(filter, AT, limit=limit, after=after, examine=examine)
        assert len(page.rows) == len(page.keys) <= limit
        yield from page.rows
        after = page.after
        if after is None:
            return
    raise AssertionError("the list does not end")


# --- one row ---


def test_an_account_is_shown_as_scripts_read_it(store: Store, directory: int) -> None:
    with store.begin() as tx:
        lot = add_lot(tx)
        give(tx, add_account(tx, directory, "ada"), lot)
        lot_id = tx.lots.listing(AT)[0].id
    [row] = listed(store)
    assert msgspec.to_builtins(row) == {
        "company": "contoso", "directory": "contoso-m365", "id": "ada", "address": "ada@contoso.example",
        "name": "Ada", "kind": "user", "state": "active", "license": "standard", "through": "seat", "lot": lot_id,
        "since": "2026-11-02T09:00:00Z", "source": "rule:staff", "protection": "backed_up", "waiting": None,
        "retention_ends": None, "because": "member of Backup Staff", "linked_to": None, "possible_return_of": None,
        "legal_hold": False,
    }  # fmt: skip


def test_an_account_that_waits_says_for_what_and_why(store: Store, directory: int) -> None:
    with store.begin() as tx:
        make_wait(tx, add_account(tx, directory, "ada"), reason="rule_limit")
    row = one(store, "ada")
    assert msgspec.to_builtins(row.waiting) == {
        "for": "standard", "since": "2026-11-02T09:00:00Z", "reason": "rule_limit",
    }  # fmt: skip
    assert (row.license, row.source, row.because, row.protection) == (None, None, "member of Backup Staff", "none")


@proves("L8")
@pytest.mark.parametrize(("pinned", "source"), [(False, "manual"), (True, "pinned")])
def test_what_a_person_decided_shows_even_without_a_license(
    store: Store, directory: int, pinned: bool, source: str
) -> None:
    with store.begin() as tx:
        key = add_account(tx, directory, "ada")
        tx.execute("INSERT INTO by_hand (account, pinned) VALUES (:key, :pinned)", {"key": key, "pinned": pinned})
    assert one(store, "ada").source == source


def _backed_up(tx: Transaction, directory: int) -> None:
    give(tx, add_account(tx, directory, "ada"), add_lot(tx))


def _backed_up_through_entitlement(tx: Transaction, directory: int) -> None:
    give(tx, add_account(tx, directory, "ada", kind="shared_mailbox"), None)


def _archived(tx: Transaction, directory: int) -> None:
    give(tx, add_account(tx, directory, "ada", state="purged"), add_lot(tx, "archived"), "archived")


def _archive_waiting(tx: Transaction, directory: int) -> None:
    key = add_account(tx, directory, "ada", state="deleted")
    give(tx, key, add_lot(tx, days=-1))
    make_wait(tx, key, kind="archive", license="archived")


def _living_that_waits_for_its_archive(tx: Transaction, directory: int) -> None:
    key = add_account(tx, directory, "ada", state="disabled")
    give(tx, key, add_lot(tx))
    make_wait(tx, key, kind="archive", license="archived")


def _not_running(tx: Transaction, directory: int) -> None:
    give(tx, add_account(tx, directory, "ada", state="deleted"), add_lot(tx))


def _expired(tx: Transaction, directory: int) -> None:
    give(tx, add_account(tx, directory, "ada"), add_lot(tx, days=0))


def _expired_archive(tx: Transaction, directory: int) -> None:
    give(tx, add_account(tx, directory, "ada", state="deleted"), add_lot(tx, "archived", days=-3), "archived")


def _retained(tx: Transaction, directory: int) -> None:
    let_retain(tx, add_account(tx, directory, "ada"))


def _purge_due(tx: Transaction, directory: int) -> None:
    let_retain(tx, add_account(tx, directory, "ada", state="purged"), purge_due=True)


def _none(tx: Transaction, directory: int) -> None:
    add_account(tx, directory, "ada", kind="guest")


@proves("D2", "M4")
@pytest.mark.parametrize(
    ("make", "protection"),
    [
        (_backed_up, "backed_up"),
        (_backed_up_through_entitlement, "backed_up"),
        (_living_that_waits_for_its_archive, "backed_up"),
        (_archived, "archived"),
        (_archive_waiting, "archive_waiting"),
        (_not_running, "not_running"),
        (_expired, "expired"),
        (_expired_archive, "expired"),
        (_retained, "retained"),
        (_purge_due, "purge_due"),
        (_none, "none"),
    ],
)
def test_protection_follows_from_what_is(
    store: Store, directory: int, make: Callable[[Transaction, int], None], protection: str
) -> None:
    with store.begin() as tx:
        make(tx, directory)
    row = one(store, "ada")
    assert row.protection == protection
    assert row.retention_ends == ("2027-01-01T09:00:00Z" if protection in ("retained", "purge_due") else None)
    assert listed(store, AccountFilter(protection=protection)) == [row]
    assert listed(store, AccountFilter(protection="none" if protection != "none" else "retained")) == []


# --- lists ---


def populate(store: Store) -> None:
    """Two companies, three directories, and forty accounts in every state that there is."""
    contoso = add_company(store, "contoso")
    fabrikam = add_company(store, "fabrikam", pool=0)
    places = [
        add_directory(store, contoso, "contoso-m365"),
        add_directory(store, contoso, "contoso-gws"),
        add_directory(store, fabrikam, "fabrikam-m365"),
    ]
    states = ("active", "active", "disabled", "deleted", "purged", "unknown")
    kinds = ("user", "user", "user", "shared_mailbox", "guest", "unknown", "room")
    names = ("ada", "Ada", "bob", "a_b", "a%b", "zoë")
    with store.begin() as tx:
        valid, expired, archive = (
            add_lot(tx, seats=50),
            add_lot(tx, days=-1, seats=50),
            add_lot(tx, "archived", seats=50),
        )
        for n in range(40):
            state, name = states[n % 6], names[n % 6]
            domain = "contoso.example" if n % 4 else "sales.contoso.example"
            # twice the same address (D5), and some without any
            address = "" if n % 10 == 9 else f"{name}{n % 13}@{domain}"
            key = add_account(tx, places[n % 3], f"{name}-{n}", address=address, state=state, kind=kinds[n % 7])
            rule = "rule:staff" if n % 2 else "rule:executives"
            if n % 5 == 0:
                give(tx, key, expired if n % 3 else valid, source=rule)
            elif n % 5 == 1:
                give(tx, key, archive, "archived", source="deleted_user")
            elif n % 5 == 2:
                make_wait(tx, key, reason="insufficient_licenses" if n % 3 else "rule_limit")
            elif n % 5 == 3:
                let_retain(tx, key, purge_due=n % 2 == 0)
            if n % 15 == 10:
                make_wait(tx, key, kind="archive", license="archived")
        _groups(tx, places)


def _groups(tx: Transaction, places: list[int]) -> None:
    """In each directory: staff has the accounts with an even number, outer has staff, which has outer."""
    for directory in places:
        for id, name in (("g-staff", "Backup Staff"), ("g-outer", "Outer")):
            tx.groups.learn(directory, [(id, name, f"{id}@contoso.example", False)])
        keys = tx.groups.keys(directory)
        edges = [("g-staff", keys["g-outer"], "group"), ("g-outer", keys["g-staff"], "group")]
        rows = tx.execute("SELECT id FROM account WHERE directory = :d", {"d": directory}).scalars().all()
        edges += [(id, keys["g-staff"], "account") for id in rows if int(id.rpartition("-")[2]) % 2 == 0]
        edges += [(id, keys["g-outer"], "account") for id in rows if int(id.rpartition("-")[2]) % 4 == 0]
        for member, group, what in edges:
            tx.execute(
                "INSERT INTO edge (directory, member, grp, member_is) VALUES (:d, :member, :group, :what)",
                {"d": directory, "member": member, "group": group, "what": what},
            )


Fits = Callable[[AccountRow], bool]


def _even(row: AccountRow) -> bool:
    return int(row.id.rpartition("-")[2]) % 2 == 0


FILTERS: list[tuple[AccountFilter, Fits]] = [
    (EVERYTHING, lambda row: True),
    (AccountFilter(company="contoso"), lambda row: row.company == "contoso"),
    (AccountFilter(directory="contoso-gws"), lambda row: row.directory == "contoso-gws"),
    (AccountFilter(company="fabrikam", directory="contoso-gws"), lambda row: False),
    (AccountFilter(company="provider"), lambda row: False),
    *[
        (AccountFilter(state=state), lambda row, state=state: row.state == state)
        for state in ("active", "disabled", "deleted", "purged", "unknown")
    ],
    *[
        (AccountFilter(kind=kind), lambda row, kind=kind: row.kind == kind)
        for kind in ("user", "shared_mailbox", "room", "guest", "unknown", "resource")
    ],
    *[
        (AccountFilter(license=license), lambda row, wanted=license: (row.license or "none") == wanted)
        for license in ("standard", "archived", "none")
    ],
    *[
        (AccountFilter(protection=name), lambda row, name=name: row.protection == name)
        for name in (
            "backed_up", "archived", "archive_waiting", "not_running", "expired", "retained", "purge_due", "none",
        )
    ],
    *[
        (
            AccountFilter(waiting=reason),
            lambda row, reason=reason: row.waiting is not None and row.waiting.reason == reason,
        )
        for reason in ("insufficient_licenses", "rule_limit", "held")
    ],
    (AccountFilter(rule="executives"), lambda row: row.source == "rule:executives"),
    (AccountFilter(rule="nobody's"), lambda row: False),
    (AccountFilter(group="Backup Staff"), _even),
    (AccountFilter(group="g-staff"), _even),
    (
        AccountFilter(group="G-Outer@Contoso.example", company="contoso"),
        lambda row: _even(row) and row.company == "contoso",
    ),
    (AccountFilter(domain="Contoso.example"), lambda row: row.address.endswith("@contoso.example")),
    (AccountFilter(domain="contoso"), lambda row: False),
    (AccountFilter(search="ada-0"), lambda row: "ada-0" in f"{row.id} {row.name.lower()}"),
    (AccountFilter(search="ada"), lambda row: "ada" in f"{row.address} {row.name}".lower()),
    (AccountFilter(search="aDa1"), lambda row: "ada1" in f"{row.address} {row.name}".lower()),
    (AccountFilter(search="da"), lambda row: "da" in f"{row.address} {row.name}".lower()),
    (AccountFilter(search="a%b"), lambda row: "a%b" in f"{row.address} {row.name}".lower()),
    (AccountFilter(search="a_b"), lambda row: "a_b" in f"{row.address} {row.name}".lower()),
    (AccountFilter(search="zoë"), lambda row: "zoë" in f"{row.address} {row.name}".lower()),
    (AccountFilter(search="\\"), lambda row: False),
    (AccountFilter(search="bob", state="disabled"), lambda row: "bob" in row.address and row.state == "disabled"),
    (AccountFilter(search="bob", rule="staff"), lambda row: "bob" in row.address and row.source == "rule:staff"),
    (
        AccountFilter(company="contoso", state="deleted", license="standard", protection="expired", rule="staff"),
        lambda row: (
            (row.company, row.state, row.license, row.protection, row.source)
            == ("contoso", "deleted", "standard", "expired", "rule:staff")
        ),
    ),
    (
        AccountFilter(group="Outer", waiting="rule_limit"),
        lambda row: _even(row) and row.waiting is not None and row.waiting.reason == "rule_limit",
    ),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("few", [FEW, 0], ids=["few to begin with", "looking through"])
def test_filters_and_pages_show_exactly_what_fits(store: Store, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.account_filters.FEW", few)
    monkeypatch.setattr("store.account_pages.FIRST_STRETCH", 4)
    monkeypatch.setattr("store.account_pages.SHORTEST_STRETCH", 1)
    populate(store)
    rows = listed(store)
    assert len(rows) == 40
    assert len({row.protection for row in rows}) == 8
    for filter, fits in FILTERS:
        wanted = sorted(row.id for row in rows if fits(row))
        assert sorted(row.id for row in listed(store, filter)) == wanted, filter
        for limit, examine in ((4, 7), (7, 3)):
            found = [row.id for row in paged(store, filter, limit, examine)]
            assert sorted(found) == wanted, (filter, limit, examine)


def test_lists_are_in_the_order_of_directory_and_address(store: Store) -> None:
    populate(store)
    rows = [(row.directory, row.address) for row in listed(store)]
    assert [directory for directory, _ in rows] == [
        *["contoso-m365"] * 14, *["contoso-gws"] * 13, *["fabrikam-m365"] * 13,
    ]  # fmt: skip
    order = {"contoso-m365": 0, "contoso-gws": 1, "fabrikam-m365": 2}
    assert rows == sorted(rows, key=lambda row: (order[row[0]], row[1].encode()))


def test_a_page_looks_at_a_bounded_number_of_accounts(
    store: Store, directory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.account_pages.SHORTEST_STRETCH", 1)
    with store.begin() as tx:
        for n in range(30):
            add_account(tx, directory, f"user{n:02}", kind="room" if n == 29 else "user")
    with store.read() as tx:
        page = tx.views.accounts(AccountFilter(kind="room"), AT, examine=10)
        assert page.rows == []
        assert page.after is not None
    assert [row.id for row in paged(store, AccountFilter(kind="room"), 5, 10)] == ["user29"]


def test_the_keys_of_all_that_fit_can_be_had(store: Store) -> None:
    populate(store)
    with store.read() as tx:
        keys = [key for page in tx.views.every_key(AccountFilter(state="deleted"), AT) for key in page]
        assert [tx.views.account(key, AT).state for key in keys] == ["deleted"] * len(keys) != []


def test_a_page_goes_on_where_the_last_one_ended_though_accounts_came_and_went(store: Store, directory: int) -> None:
    with store.begin() as tx:
        for id in ("b", "d", "f", "h"):
            add_account(tx, directory, id)
    with store.read() as tx:
        page = tx.views.accounts(EVERYTHING, AT, limit=2)
    with store.begin() as tx:
        for id in ("a", "e"):
            add_account(tx, directory, id)
        tx.execute("DELETE FROM account WHERE id = 'd'")
    with store.read() as tx:
        rest = tx.views.accounts(EVERYTHING, AT, limit=9, after=page.after)
    assert [row.id for row in page.rows] == ["b", "d"]
    assert [row.id for row in rest.rows] == ["e", "f", "h"]
    assert rest.after is None


@pytest.mark.parametrize(
    "filter",
    [AccountFilter(company="nobody"), AccountFilter(directory="nobody"), AccountFilter(group="nobody")],
    ids=["company", "directory", "group"],
)
def test_a_filter_by_what_is_not_there_is_refused(store: Store, directory: int, filter: AccountFilter) -> None:
    with store.read() as tx, pytest.raises(NotFound, match="nobody"):
        tx.views.accounts(filter, AT)


@pytest.mark.parametrize("cursor", ["", "x", "%", "W10", "eyJhIjoxfQ", "WzAsMSwiYSIsImIiXQ"])
def test_what_is_no_cursor_is_refused(store: Store, cursor: str) -> None:
    with store.read() as tx, pytest.raises(NotFound, match="no cursor"):
        tx.views.accounts(EVERYTHING, AT, after=cursor)


# --- names ---


@pytest.fixture
def named(store: Store, company: int, directory: int) -> Store:
    """Ada in two directories; Bob deleted and hired again; Cy once, with an address in another case."""
    other = add_directory(store, company, "contoso-gws")
    with store.begin() as tx:
        add_account(tx, directory, "8d0c", address="ada@contoso.example")
        add_account(tx, other, "1042", address="ada@contoso.example")
        add_account(tx, directory, "old", address="bob@contoso.example", state="deleted")
        add_account(tx, directory, "new", address="bob@contoso.example")
        add_account(tx, directory, "cy", address="Cy@contoso.example")
        add_account(tx, directory, "without", address="")
    return store


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("8d0c", "8d0c"),
        ("8D0C", "8d0c"),
        ("contoso-gws:1042", "1042"),
        ("contoso-gws:ada@contoso.example", "1042"),
        ("contoso-m365:Ada@Contoso.example", "8d0c"),
        ("bob@contoso.example", "new"),
        ("cy@contoso.example", "cy"),
    ],
)
def test_an_account_is_named_by_id_or_by_an_address_that_only_it_has(named: Store, name: str, id: str) -> None:
    with named.read() as tx:
        found = tx.views.account_by_name(name)
        assert (found.id, found.company_id) == (id, "contoso")
        assert tx.views.account(found.key, AT).id == id


def test_an_address_of_several_accounts_is_ambiguous_and_says_how_to_go_on(named: Store) -> None:
    with named.read() as tx, pytest.raises(Ambiguous, match=r"contoso-gws:ada@.*, contoso-m365:ada@"):
        tx.views.account_by_name("ada@contoso.example")
    with named.begin() as tx:
        tx.execute("UPDATE account SET state = 'active'")
    with named.read() as tx, pytest.raises(Ambiguous, match="old, new"):
        tx.views.account_by_name("bob@contoso.example")


@pytest.mark.parametrize(
    "name", ["nobody@contoso.example", "contoso-gws:8d0c", "nowhere:ada@contoso.example", "", "contoso-gws:"]
)
def test_a_name_of_nobody_is_not_found(named: Store, name: str) -> None:
    with named.read() as tx, pytest.raises(NotFound, match="there is no account"):
        tx.views.account_by_name(name)


# --- status ---


def test_status_has_the_seats_of_every_pool(store: Store, company: int, directory: int) -> None:
    own = add_company(store, "fabrikam")
    with store.begin() as tx:
        tx.execute("UPDATE company SET pool = key WHERE key = :own", {"own": own})
        valid, expired = add_lot(tx, seats=10), add_lot(tx, days=0, seats=5)
        add_lot(tx, "archived", pool=own, seats=7)
        for n in range(4):
            give(tx, add_account(tx, directory, f"user{n}"), valid if n else expired)
        for seats, renews in ((10, None), (50, valid)):
            tx.orders.want(
                company=company, pool=0, license="standard", seats=seats, term="yearly", seller="manual", estimate=None,
                because="", shortage=1, awaits_approval=False, now=AT, renews_lot=renews,
            )  # fmt: skip
    with store.read() as tx:
        status = tx.views.status(AT)
    assert [msgspec.to_builtins(pool) for pool in status.pools] == [
        {"pool": pool, "company": id, "license": license, "seats": seats, "held": held, "free": free,
         "expired": expired, "on_order": on_order}
        for pool, id, license, seats, held, free, expired, on_order in (
            ("global", None, "standard", 10, 3, 7, 1, 10),
            ("global", None, "archived", 0, 0, 0, 0, 0),
            ("own", "fabrikam", "standard", 0, 0, 0, 0, 0),
            ("own", "fabrikam", "archived", 7, 0, 7, 0, 0),
        )
    ]  # fmt: skip
    assert status.orders_open == 2


@proves("S1", "S4")
@pytest.mark.parametrize(
    ("setting", "entitled"),
    [
        (Setting(), 3),
        (Setting(trial_entitles=True), 4),
        (Setting("unlimited"), None),
        (Setting(1), 1),
    ],
)
def test_status_has_what_licenses_entitle_to(
    store: Store, company: int, directory: int, setting: Setting, entitled: int | None
) -> None:
    with store.begin() as tx:
        lots = [add_lot(tx), add_lot(tx, days=0), add_lot(tx)]
        tx.execute("UPDATE lot SET term = 'trial' WHERE key = :key", {"key": lots[2]})
        for n, lot in enumerate((lots[0], lots[0], lots[0], lots[1], lots[2])):
            give(tx, add_account(tx, directory, f"user{n}"), lot)
        for n in range(4):
            give(tx, add_account(tx, directory, f"shared{n}", kind="shared_mailbox"), None)
    with store.read() as tx:
        [standard, archived] = tx.views.status(AT, {"contoso": setting}).entitlements
    assert (standard.company, standard.license, standard.entitled, standard.used) == (
        "contoso", "standard", entitled, 4,
    )  # fmt: skip
    assert standard.over is (entitled is not None and entitled < 4)
    assert (archived.license, archived.used, archived.over) == ("archived", 0, False)


@proves("S1")
def test_in_its_own_pool_seats_entitle_held_or_not(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.execute("UPDATE company SET pool = key WHERE key = :company", {"company": company})
        add_lot(tx, pool=company, seats=8)
        add_lot(tx, pool=company, seats=20, days=0)
        add_lot(tx, seats=40)
    with store.read() as tx:
        [standard, _] = tx.views.status(AT).entitlements
    assert standard.entitled == 8


def test_status_has_every_directory_and_what_is_wrong_first(store: Store, company: int, directory: int) -> None:
    add_directory(store, company, "contoso-gws")
    add_directory(store, company, "contoso-old")
    with store.begin() as tx:
        tx.execute(
            "UPDATE directory SET state = 'failing', last_success = :now, problem = 'the secret expired',"
            " remedy = 'make a new one' WHERE id = 'contoso-gws'",
            {"now": AT},
        )
        tx.execute("UPDATE directory SET retired = true WHERE id = 'contoso-old'")
        tx.execute(
            "UPDATE directory SET state = 'healthy', mailbox_problem = 'refused', mailbox_remedy = 'grant it'"
            " WHERE key = :d",
            {"d": directory},
        )
    with store.read() as tx:
        rows = [msgspec.to_builtins(row) for row in tx.views.status(AT).directories]
    assert rows == [
        {"id": "contoso-gws", "company": "contoso", "state": "failing", "last_success": "2026-11-02T09:00:00Z",
         "problem": "the secret expired", "remedy": "make a new one"},
        {"id": "contoso-m365", "company": "contoso", "state": "healthy", "last_success": None, "problem": "refused",
         "remedy": "grant it"},
    ]  # fmt: skip


def test_status_counts_waits_holds_and_lots_that_end(store: Store, company: int, directory: int) -> None:
    with store.begin() as tx:
        for n, reason in enumerate(("insufficient_licenses", "insufficient_licenses", "rule_limit")):
            make_wait(tx, add_account(tx, directory, f"user{n}"), reason=reason)
        tx.plans.hold_purchase(company, "standard", 60, "over the limit", AT)
        add_lot(tx, days=29)
        add_lot(tx, days=31)
        add_lot(tx, days=-1)
        add_lot(tx, days=None)
    with store.read() as tx:
        status = tx.views.status(AT)
    assert (status.waiting, status.short, status.holds, status.orders_open) == (3, 2, 1, 0)
    assert status.waiting_for == {"insufficient_licenses": 2, "rule_limit": 1}
    assert [lot.expires for lot in status.lots_ending] == ["2026-12-01"]
