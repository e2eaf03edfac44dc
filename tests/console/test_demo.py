"""`seatkeeper demo`: a day that ends by itself and leaves a store to try every command on."""

import shlex

import pytest

from tests.console.conftest import Terminal


@pytest.mark.slow
def test_the_demo_plays_its_day_and_what_it_left_can_be_tried(terminal: Terminal) -> None:
    played = terminal.process("demo", "--json")
    assert (played.code, played.err) == (0, "")
    scenes = {scene["title"]: scene for scene in played.json["scenes"]}
    assert [scene["headline"] for scene in scenes.values()] == [
        "two customers, stock bought",
        "dry run: nothing written",
        "179 accounts licensed",
        "4 hires licensed",
        "conversion frees a seat",
        "3 leavers archived",
        "1 user restored",
        "1 suspended, 1 archived at Fabrikam",
        "renamed unit changes nothing",
        "6 wait, 10 ordered",
        "6 who waited are served",
        "broken policy changes nothing",
        "unreachable: nothing changes",
        "25 archivings held, rejected",
        "16 held, then approved",
        "9 more held, left for you",
        scenes["Evening"]["headline"],
    ]
    numbers = scenes["Evening"]["numbers"]
    assert numbers == {
        "standard": {"seats": 190, "held": 177}, "archived": {"seats": 12, "held": 12}, "waiting": 7, "holds": 1,
        "orders": 1,
    }  # fmt: skip
    assert scenes["A directory is unreachable"]["numbers"] == scenes["A typing error"]["numbers"]
    kinds = {result["directory"]: result["mode"] for result in scenes["Evening"]["results"]}
    assert kinds == {"contoso-m365": "delta", "fabrikam-gws": "full"}

    environment: dict[str, str] = played.json["environment"]
    for command in played.json["commands"]:
        tried = terminal.process(*shlex.split(command)[1:], **environment)
        assert tried.code == 0, (command, tried.err)
    left = terminal.process("status", "--json", **environment).json
    assert (left["waiting"], left["holds"], left["orders_open"]) == (6, 0, 0)


@pytest.mark.slow
def test_the_demo_can_be_read_and_replaces_only_an_earlier_demo(terminal: Terminal) -> None:
    (terminal.folder / "mine").mkdir()
    (terminal.folder / "mine" / "letter.txt").write_text("dear Ada")
    refused = terminal("demo", "--directory", "mine", "--yes")
    assert refused.code == 2
    assert refused.err == "Error: mine is not empty and not from a demo; name another with --directory\n"

    shown = terminal.process("demo", COLUMNS="80")
    assert shown.code == 0
    table = shown.out[shown.out.index("TIME ") :].split("\n\n")[0].splitlines()
    assert len(table) == 18
    assert max(len(line) for line in table) <= 80
    assert "export SEATKEEPER_DATABASE_URL=sqlite:///" in shown.out
    again = terminal.process("demo")
    assert again.code == 2
    assert "seatkeeper-demo holds an earlier demo. Replace it?" in again.err
