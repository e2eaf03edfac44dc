"""No file of the project names a place on one machine, or where packages were fetched from."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = r"(?<![\w.~$}-])/(?:root|work|home/\w+|Users/\w+)(?=/|\b(?!\.))"
INDEX = r"(?:index-url|find-links)[ =]+\w|pypi[.]org/simple|pythonhosted[.]org"
PLACES = re.compile(f"{HOME}|{INDEX}")


def tracked_files() -> Iterator[Path]:
    """What is in the repository; whoever runs the tests need not own it, hence the setting."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return (ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def places(text: str) -> list[str]:
    return [match[0] for match in PLACES.finditer(text)]


def test_no_tracked_file_names_a_machine_or_an_index() -> None:
    found = {str(file.relative_to(ROOT)): places(file.read_text(errors="replace")) for file in tracked_files()}
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize("folder", ["/ro" + "ot", "/wo" + "rk/main", "/ho" + "me/ada/seatkeeper", "/Us" + "ers/ada"])
def test_a_folder_of_one_machine_is_found(folder: str) -> None:
    assert places(f"see {folder}/notes") != []


@pytest.mark.parametrize("option", ["--index-" + "url=https://packages.example", "find-" + "links = wheels"])
def test_an_index_is_found(option: str) -> None:
    assert places(option) != []


@pytest.mark.parametrize("text", ["https://example.com/work/", "/rooted", "/workers", "tests/work/x", "/homework"])
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert places(text) == []
