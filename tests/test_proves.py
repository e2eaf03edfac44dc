"""The mark that names rules accepts rule ids and nothing else."""

import pytest

from tests.proves import proves


@pytest.mark.parametrize("ids", [[], ["Z"], ["2"], ["z2"], ["Z02"], ["Z2 "], ["Z1", "ZZ1"]])
def test_what_is_no_rule_id_is_refused_where_it_is_written(ids: list[str]) -> None:
    with pytest.raises(ValueError, match="'Z2'"):
        proves(*ids)


def test_the_ids_are_on_the_test_for_whoever_looks() -> None:
    def marked() -> None: ...

    proves("Z1", "P2")(marked)  # called, so that it is not taken for a proof itself
    assert [mark.args for mark in marked.pytestmark] == [(("Z1", "P2"),)]  # type: ignore[attr-defined]  # pytest's own
