"""The condition `attributes`: accounts by what the directory says of the person (G2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from policies.conditions import Condition, condition
from policies.key import Key
from policies.model import ATTRIBUTES, Account, Because, Memberships

Attribute = Literal[
    "department",
    "job_title",
    "company",
    "office",
    "city",
    "state",
    "country",
    "employee_type",
    "cost_center",
]
AttributeValues = Annotated[
    Mapping[Attribute, Annotated[tuple[str, ...], Key("Values, compared without case.", filled=True)]],
    Key(
        "Attributes with the values that select; the values of one are alternatives, and all named must fit.",
        filled=True,
    ),
]


@condition("attributes")
@dataclass(frozen=True, slots=True)
class Attributes(Condition):
    """Accounts whose attributes have these values: the values of one are alternatives, and all named must fit.

        rules:
          - name: records
            attributes: {department: [Finance, Legal], country: [NO]}
            license: standard

    Compared without case. The attributes are department, job_title, company, office, city, state, country,
    employee_type and cost_center.
    """

    attributes: AttributeValues
    _tests: tuple[tuple[int, dict[str, str]], ...] = field(init=False, repr=False, compare=False)
    _becauses: dict[str, Because] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tests = tuple((ATTRIBUTES.index(name), _texts(name, values)) for name, values in self.attributes.items())
        alone = tests[0][1].values() if len(tests) == 1 else ()
        object.__setattr__(self, "_tests", tests)
        object.__setattr__(self, "_becauses", {text: self.because(text) for text in alone})

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """Each attribute named, with the value of the rule that fits the account's."""
        have = account.attributes
        whole = ""
        for index, texts in self._tests:
            text = texts.get(have[index].casefold())
            if text is None:
                return None
            whole = f"{whole} and {text}" if whole else text
        return self._becauses.get(whole) or self.because(whole)


def _texts(name: str, values: tuple[str, ...]) -> dict[str, str]:
    label = name.replace("_", " ")
    return {value.casefold(): f"{label} is {value}" for value in reversed(values)}
