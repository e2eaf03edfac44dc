"""What happens in the customers' directories."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.paper import GROUPS
from tests.model.story import Story, companies, followed_by, names, which
from tests.model.tenant import Person, Tenant

groups = st.sampled_from((*GROUPS, "Staff", "Staff"))


class Happenings(Story):
    """Hires, leavers, returns, mailboxes that change their kind, groups, and directories that cannot be read."""

    @rule(company=companies, name=names, joins=st.sampled_from((*GROUPS, "Staff", None)), followed_by=followed_by)
    def hires(self, company: str, name: str, joins: str | None, followed_by: str) -> None:
        tenant, known = self.tenant(company), self.person(company, name)
        if known is not None and known.gone is None:
            return
        person = tenant.hire(name)
        if joins is not None and (group := tenant.group(joins)) is not None:
            tenant.join(group, person.id)
        self.then(followed_by, company)

    @rule(company=companies, name=st.sampled_from(("Careers", "Sales", "Support")), followed_by=followed_by)
    def opens_a_shared_mailbox(self, company: str, name: str, followed_by: str) -> None:
        known = self.person(company, name)
        if known is None or known.gone is not None:
            self.tenant(company).hire(name, mailbox="shared")
            self.then(followed_by, company)

    @rule(company=companies, name=names, for_good=st.booleans(), followed_by=followed_by)
    def deletes(self, company: str, name: str, for_good: bool, followed_by: str) -> None:
        person = self.person(company, name)
        if person is None or person.gone == "purged":
            return
        if for_good or person.gone is not None:
            self.tenant(company).purge(person)
        else:
            self.tenant(company).delete(person, self.world.clock())
        self.then(followed_by, company)

    @precondition(lambda self: self.in_the_bin())
    @rule(which=which, followed_by=followed_by)
    def restores(self, which: int, followed_by: str) -> None:
        tenant, person = self.in_the_bin()[which % len(self.in_the_bin())]
        tenant.restore(person)
        self.then(followed_by, tenant.id)

    @rule(company=companies, name=names)
    def deletes_and_thinks_again(self, company: str, name: str) -> None:
        person = self.person(company, name)
        if person is not None and person.gone is None:
            self.tenant(company).delete(person, self.world.clock())
            self.passes(company)
            self.tenant(company).restore(person)
            self.passes(company)

    @rule(company=companies, name=names, to=st.sampled_from(("shared", "shared", "user")), followed_by=followed_by)
    def converts_the_mailbox(self, company: str, name: str, to: str, followed_by: str) -> None:
        person = self.person(company, name)
        if person is not None and person.gone is None and person.mailbox != to:
            self.tenant(company).convert(person, to)
            self.then(followed_by, company)

    @rule(company=companies, name=names, followed_by=followed_by)
    def disables_or_enables(self, company: str, name: str, followed_by: str) -> None:
        person = self.person(company, name)
        if person is not None and person.gone is None:
            self.tenant(company).enable(person, enabled=not person.enabled)
            self.then(followed_by, company)

    @rule(company=companies, name=names, to=names)
    def renames(self, company: str, name: str, to: str) -> None:
        person, other = self.person(company, name), self.person(company, to)
        if person is not None and person.gone is None and (other is None or other.gone is not None):
            self.tenant(company).rename(person, to)

    @rule(company=companies, name=names, group=groups, followed_by=followed_by)
    def joins_or_leaves(self, company: str, name: str, group: str, followed_by: str) -> None:
        tenant, person, found = self.tenant(company), self.person(company, name), self.tenant(company).group(group)
        if person is None or person.gone is not None or found is None:
            return
        if person.id in found.members:
            tenant.leave(found, person.id)
        else:
            tenant.join(found, person.id)
        self.then(followed_by, company)

    @rule(
        company=companies, group=groups, what=st.sampled_from(("is renamed", "is deleted", "is made")),
        followed_by=followed_by,
    )  # fmt: skip
    def a_group(self, company: str, group: str, what: str, followed_by: str) -> None:
        tenant, found = self.tenant(company), self.tenant(company).group(group)
        if what == "is made":
            tenant.create_group(group)
        elif found is not None and what == "is deleted":
            tenant.delete_group(found)
        elif found is not None:
            tenant.rename_group(found, f"former {group}")
        self.then(followed_by, company)

    @rule(company=companies, outage=st.sampled_from(("out of reach", "secret expired", None, None)))
    def cannot_be_read(self, company: str, outage: str | None) -> None:
        self.tenant(company).outage = outage

    @rule(company=companies, number=st.integers(1, 2))
    def lists_too_few(self, company: str, number: int) -> None:
        """A listing that leaves out people who are there is not believed (Z2)."""
        self.tenant(company).hides = number
        self.act(lambda: self.world.sync(company, full=True))
        self.tenant(company).hides = 0
        self.passes(company)

    def in_the_bin(self) -> list[tuple[Tenant, Person]]:
        """Who can be restored, and where."""
        return [(t, p) for t in self.world.tenants.values() for p in t.people.values() if p.gone == "deleted"]
