"""What people at the provider do about accounts: by hand, by list, by link, and for legal reasons."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from store.account_filters import AccountFilter
from tests.model.story import Story, companies, dies_before_commit, licenses, names
from tests.worker.world import PERSON
from worker.operations.by_hand import by_hand
from worker.operations.importing import import_licenses
from worker.operations.legal_holds import lift_hold, set_hold
from worker.operations.linking import link, unlink
from worker.operations.requests import Request, Verb
from worker.operations.retiring import retire_company, retire_directory
from worker.operations.selecting import Meant

verbs = st.sampled_from((*Verb, Verb.ASSIGN, Verb.FOLLOW))


class Hands(Story):
    """Assigning, archiving, deactivating, pinning, handing back; imports; links; holds; notices; retirement."""

    @rule(
        verb=verbs, company=companies, names=st.lists(names, min_size=1, max_size=2, unique=True), license=licenses,
        as_many_as_fit=st.booleans(), dies_before_commit=dies_before_commit,
    )  # fmt: skip
    def by_hand(
        self, verb: Verb, company: str, names: list[str], license: str, as_many_as_fit: bool, dies_before_commit: int
    ) -> None:
        people = [person.id for name in names if (person := self.person(company, name)) is not None]
        if people:
            request = Request(verb, Meant(tuple(people)), license, as_many_as_fit=as_many_as_fit)
            self.act(lambda: by_hand(self.world.app, request, PERSON), dies_before_commit)

    @rule(verb=verbs, company=st.none() | companies, license=licenses, as_many_as_fit=st.booleans())
    def by_hand_all_of(self, verb: Verb, company: str | None, license: str, as_many_as_fit: bool) -> None:
        meant = Meant(where=AccountFilter(company=company, state="active"))
        request = Request(verb, meant, license, as_many_as_fit=as_many_as_fit)
        self.act(lambda: by_hand(self.world.app, request, PERSON))

    @rule(company=companies, name=names, license=licenses, dies_before_commit=dies_before_commit)
    def imports(self, company: str, name: str, license: str, dies_before_commit: int) -> None:
        person = self.person(company, name)
        if person is not None:
            file = self.world.ground.folder / "before.csv"
            file.write_text(f"directory,account,license\n{company}-m365,{person.id},{license}\n", encoding="utf-8")
            self.act(lambda: import_licenses(self.world.app, file, PERSON), dies_before_commit)

    @rule(company=companies, new=names, old=names, dies_before_commit=dies_before_commit)
    def links(self, company: str, new: str, old: str, dies_before_commit: int) -> None:
        """Who came back is hired under another id; `old` is whoever had the name before, if there was somebody."""
        newer = self.person(company, new)
        older = next((p for p in self.tenant(company).people.values() if p.name == old and p is not newer), None)
        if newer is not None and older is not None:
            self.act(lambda: link(self.world.app, newer.id, older.id, PERSON), dies_before_commit)

    @precondition(lambda self: self.books.links)
    @rule(company=companies, dies_before_commit=dies_before_commit)
    def unlinks(self, company: str, dies_before_commit: int) -> None:
        for old in self.books.links:
            account = self.books.accounts[old]
            if account.id in self.tenant(company).people:
                self.act(lambda id=account.id: unlink(self.world.app, id, PERSON), dies_before_commit)  # type: ignore[misc]
                return

    @rule(company=companies, name=st.none() | names, lifted=st.booleans())
    def legal_hold(self, company: str, name: str | None, lifted: bool) -> None:
        person = None if name is None else self.person(company, name)
        do, whole = (lift_hold if lifted else set_hold), None if person is not None else company
        accounts = () if person is None else (person.id,)
        self.act(lambda: do(self.world.app, accounts, whole, PERSON))

    @precondition(lambda self: any(not clock.purge_due for clock in self.books.clocks.values()))
    @rule(dies_before_commit=dies_before_commit)
    def acknowledges_notices(self, dies_before_commit: int) -> None:
        self.acknowledge_all(dies_before_commit)

    @rule(company=companies, whole=st.booleans(), sure=st.integers(0, 3))
    def retires(self, company: str, whole: bool, sure: int) -> None:
        """Rare, for little happens to a company after it."""
        if sure < 3:
            return
        if whole:
            self.act(lambda: retire_company(self.world.app, company, PERSON))
        else:
            self.act(lambda: retire_directory(self.world.app, f"{company}-m365", PERSON))
