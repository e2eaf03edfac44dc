"""`seatkeeper report`: what was used, for bills."""

from tests.console.conftest import Terminal


def this_month(terminal: Terminal) -> str:
    at: str = terminal("audit", "--json").json[-1]["at"]
    return at[:7]


def test_usage_is_told_to_people_programs_and_spreadsheets(licensed: Terminal) -> None:
    month = this_month(licensed)
    [row] = licensed("report", "usage", "--month", month, "--json").json
    assert (row["company"], row["license"], row["month"]) == ("contoso", "standard", month)
    assert row["peak"] == row["last_day"] > 0
    assert row["seat_days"] in (row["peak"], 2 * row["peak"]), "of one day, or of two where it is midnight just now"
    assert row["expired"] == {"peak": 0, "last_day": 0, "days": 0}
    told = licensed("report", "usage", "--month", month).out.splitlines()
    assert told[0].split() == ["COMPANY", "LICENSE", "HELD", "AS", "PEAK", "LAST", "DAY", "DAYS"]
    assert told[1].split()[:4] == ["contoso", "standard", "seats", str(row["peak"])]
    head, line = licensed("report", "usage", "--month", month, "--csv", "--company", "contoso").out.splitlines()
    assert head.startswith("month,company,license,peak,last_day,seat_days,entitlement.peak")
    assert line.startswith(f"{month},contoso,standard,{row['peak']},{row['last_day']},")


def test_months_in_which_nothing_was_held_and_such_as_are_none(licensed: Terminal) -> None:
    assert licensed("report", "usage", "--month", "2020-02").out == "Nothing was held in that month.\n"
    assert licensed("report", "usage", "--month", "2020-02", "--csv").out.count("\n") == 1
    for wrong in ("2999-01", "2026-13", "November"):
        said = licensed("report", "usage", "--month", wrong, "--json")
        assert (said.code, said.error["code"]) == (2, "usage"), wrong
    assert licensed("report", "usage", "--month", "2020-02", "--company", "nobody").code == 2
    assert licensed("report", "usage", "--month", "2020-02", "--json", "--csv").code == 2
