"""Paths of organizational units, and the ids that they are bound to (G3)."""

from store.engine import Store
from store.units import UnitBinding
from tests.proves import proves
from tests.store.conftest import add_company, add_directory


@proves("G3")
def test_a_path_stays_with_the_id_that_it_was_first_bound_to(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.units.bind(directory, [UnitBinding("/Sales", None, "missing")], 1)
        tx.units.bind(directory, [UnitBinding("/Sales", "id:1", None)], 2)
        tx.units.bind(directory, [UnitBinding("/Sales", "id:2", "gone")], 3)
        assert tx.units.bindings(directory) == {"/Sales": UnitBinding("/Sales", "id:1", "gone")}


@proves("G3")
def test_another_directory_of_the_company_may_have_the_unit(store: Store, company: int, directory: int) -> None:
    sister, stranger = add_directory(store, company, "contoso-2"), add_directory(store, add_company(store, "b"), "b-1")
    with store.begin() as tx:
        tx.units.bind(sister, [UnitBinding("/Sales", "id:1", None), UnitBinding("/Gone", "id:2", "gone")], 1)
        tx.units.bind(stranger, [UnitBinding("/Lab", "id:1", None)], 1)
        assert tx.units.bound_in_company(company, directory) == {"/Sales": {"contoso-2"}}
        assert tx.units.bound_in_company(company, sister) == {}
