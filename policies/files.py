"""The two kinds of policy files as shapes: a company's, and the provider's."""

from dataclasses import replace
from typing import Any, Final

from policies.by_kind import default_seller, directories, purchasing
from policies.defaults import INHERITED
from policies.document import Kinds, Policy, Purchasing
from policies.nodes import Entries
from policies.provider import AUTOMATED, About, Defaults, Provider
from policies.reading import Reading
from policies.records import Field, Given, Record
from policies.ruleset import rules
from policies.shape import fields_of, first_line

DEFAULTS_PATH: Final = "provider.defaults."


def company_file(kinds: Kinds) -> Record:
    """A company's file."""

    def make(given: Given, node: Entries, reading: Reading) -> object:
        place = {"said": said_by_company(reading), "mark": node.mark_of("company")}
        values: dict[str, Any] = {"name": given["company"], "purchasing": unsaid, **given, **place}
        return Policy(**values)

    unsaid = Purchasing(seller=default_seller(kinds))
    own = {field.name: field for field in fields_of(Policy)}
    fields = (
        own.pop("company"),
        replace(own.pop("name"), needed=False),
        Field("directories", "directories", directories(kinds.directories), help="The company's directories, by id."),
        own.pop("licenses"),
        Field("rules", "rules", rules(), help="Read top to bottom; the first that matches decides (G1)."),
        own.pop("deleted_users"),
        _purchasing(kinds),
        *own.values(),
    )
    return Record("Policy", fields, make, help=first_line(Policy))


def provider_file(kinds: Kinds) -> Record:
    """The file `provider.yaml`."""

    def make(given: Given, node: Entries, reading: Reading) -> object:
        values: dict[str, Any] = dict(given)
        values["catalog"] = AUTOMATED | values.get("catalog", {})
        return Provider(**values)

    about = Field("provider", "about", _about(kinds), help="Who runs this installation, and the defaults.")
    return Record("Provider", (about, *fields_of(Provider)), make, help=first_line(Provider))


def said_by_company(reading: Reading) -> frozenset[str]:
    """The dotted keys that a company's file says, of those that the provider can have said too."""
    return frozenset(key for key in reading.said if key.partition(".")[0] in INHERITED)


def _about(kinds: Kinds) -> Record:
    def make(given: Given, node: Entries, reading: Reading) -> object:
        values: dict[str, Any] = dict(given)
        return About(**values)

    defaults = Field("defaults", "defaults", _defaults(kinds), help="What holds where a company says nothing.")
    return Record("About", (*fields_of(About), defaults), make, help=first_line(About))


def _defaults(kinds: Kinds) -> Record:
    def make(given: Given, node: Entries, reading: Reading) -> object:
        said = (key.removeprefix(DEFAULTS_PATH) for key in reading.said if key.startswith(DEFAULTS_PATH))
        values: dict[str, Any] = {"purchasing": Purchasing(seller=default_seller(kinds)), **given}
        return Defaults(**values, said=frozenset(said))

    return Record("Defaults", (*fields_of(Defaults), _purchasing(kinds)), make, help=first_line(Defaults))


def _purchasing(kinds: Kinds) -> Field:
    return Field("purchasing", "purchasing", purchasing(kinds), help="Where and how licenses are bought.")
