"""Fault files: what they may say, and what a person is told of those that say something else."""

import pytest

from connectors.simulators.microsoft365 import Fault, FaultFileError, read_faults

YAML = """
- kind: throttle
  path: /users/delta
  retry_after: 30
  times: 2
- {kind: unavailable, path: "/groups/*", after: 10, times: null}
- kind: slow
  seconds: 0.5
"""
JSON = """[
  {"kind": "throttle", "path": "/users/delta", "retry_after": 30, "times": 2},
  {"kind": "unavailable", "path": "/groups/*", "after": 10, "times": null},
  {"kind": "slow", "seconds": 0.5}
]"""


@pytest.mark.parametrize("text", [YAML, JSON], ids=["yaml", "json"])
def test_a_file_is_a_list_of_faults(text: str) -> None:
    assert read_faults(text, "faults") == (
        Fault("throttle", "/users/delta", retry_after=30, times=2),
        Fault("unavailable", "/groups/*", after=10, times=None),
        Fault("slow", seconds=0.5),
    )


@pytest.mark.parametrize("text", ["", "  \n", "[]"])
def test_a_file_may_order_nothing(text: str) -> None:
    assert read_faults(text, "faults") == ()


@pytest.mark.parametrize(
    "text, told",
    [
        ("- kind: throtle", "f:1:9: found 'throtle' as kind, expected one of throttle, "),
        ("- kind: throtle", "; did you mean 'throttle'?"),
        ("- {kind: slow, secnds: 3}", "f:1:16: unknown key 'secnds', expected one of kind, path, "),
        ("- {kind: slow, secnds: 3}", "; did you mean 'seconds'?"),
        ("- {kind: slow, times: 0}", "f:1:23: times is '0': "),
        ("- {kind: error, status: many}", "f:1:25: status is 'many': "),
        ("- {kind: throttle, form: later}", "f:1:26: form is 'later': "),
        ("- path: /users", "f:1:3: Object missing required field `kind`"),
        ("- throttle", "f:1:3: found 'throttle', expected a fault with its kind"),
        ("kind: throttle", "f:1:1: found a mapping, expected a list of faults"),
        ("[", "f:1:2: this is not YAML: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(FaultFileError) as caught:
        read_faults(text, "f")

    assert told in str(caught.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(FaultFileError) as caught:
        read_faults("- {kind: slow, times: 0}\n- {kind: slwo}\n- {kind: slow, to: 3}", "f")

    assert [problem.mark.line for problem in caught.value.problems] == [1, 2, 3]
    assert "\n    - {kind: slwo}\n             ^" in str(caught.value)
