"""`seatkeeper legal-hold`: whose backups may not go, for legal reasons (R2)."""

from typing import TYPE_CHECKING

import click

from console.cli.call import Call
from console.cli.groups import Group

if TYPE_CHECKING:
    from worker.operations.legal_holds import OnHold


@click.group("legal-hold", cls=Group, help="Holds for legal reasons: as long as there is one, no backups may go.")
def legal_hold() -> None: ...


@legal_hold.command("set")
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option("--company", metavar="ID", help="Everybody whom this company has or will have.")
def set_(call: Call, accounts: tuple[str, ...], company: str | None) -> None:
    """Put ACCOUNTs on hold, or a whole company."""
    from worker.operations.legal_holds import set_hold

    _one_of(accounts, company)
    _answer(call, "set", set_hold(call.app, accounts, company, call.who), company)


@legal_hold.command()
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option("--company", metavar="ID", help="The hold on the whole company; those on single accounts stay.")
def lift(call: Call, accounts: tuple[str, ...], company: str | None) -> None:
    """End the holds on ACCOUNTs, or that on a company."""
    from worker.operations.legal_holds import lift_hold

    _one_of(accounts, company)
    _answer(call, "lifted", lift_hold(call.app, accounts, company, call.who), company)


def _one_of(accounts: tuple[str, ...], company: str | None) -> None:
    if bool(accounts) is (company is not None):
        raise click.UsageError("name accounts, or say --company ID" + (": not both" if accounts else ""))


def _answer(call: Call, what: str, done: "OnHold", company: str | None) -> None:
    value = {what: done.changed, "unchanged": done.unchanged, "company": company}
    call.answer(value, lambda: [_words(what, done, company)])


def _words(what: str, done: "OnHold", company: str | None) -> str:
    if company is not None:
        already = "it was on hold already" if what == "set" else "it was not on hold"
        return f"Legal hold {what}: the whole of {company}." if done.changed else f"Nothing changed: {already}."
    rest = f" {done.unchanged:,} were so already." if done.unchanged else ""
    return f"Legal hold {what}: {done.changed:,} account{'' if done.changed == 1 else 's'}.{rest}"
