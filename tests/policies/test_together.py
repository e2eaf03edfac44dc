"""Policy files that are right alone and wrong beside each other."""

from policies.document import Policy
from policies.reader import read_policy
from policies.together import clashes
from tests.policies.kinds import KINDS


def policy(company: str, directory: str, file: str) -> Policy:
    text = f"company: {company}\ndirectories:\n  {directory}: {{kind: file, path: users.csv}}\n"
    return read_policy(text, file, KINDS)


def test_files_of_different_companies_do_not_clash() -> None:
    assert clashes([policy("a", "a-export", "a.yaml"), policy("b", "b-export", "b.yaml")]) == ()


def test_two_files_of_one_company_clash() -> None:
    (clash,) = clashes([policy("a", "a-export", "a.yaml"), policy("a", "b-export", "b.yaml")])
    assert str(clash).startswith("b.yaml:1:1: company 'a' stands in a.yaml:1:1 already")


def test_a_directory_id_is_unique_in_the_installation() -> None:
    (clash,) = clashes([policy("a", "export", "a.yaml"), policy("b", "export", "b.yaml")])
    assert str(clash).startswith("b.yaml:3:3: directory 'export' stands in a.yaml:3:3 already")
