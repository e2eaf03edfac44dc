"""A server that is kept for the tests is stopped with them, and says why when it fails."""

from pathlib import Path

import pytest

from tests.services.kept import DidNotStart, kept

SLEEPS = ["sleep", "600"]


def test_a_server_that_ends_at_once_has_its_last_words_repeated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "server"
    directory.mkdir()
    command = ["sh", "-c", "echo no room left >&2; exit 3"]
    with pytest.raises(DidNotStart, match="sh ended"), kept(directory, "", command, lambda: False):
        raise AssertionError("it started")
    assert capfd.readouterr().err == "sh ended with 3:\nno room left\n"
    assert not directory.exists()


def test_a_server_is_stopped_and_its_directory_removed_when_the_block_is_left(tmp_path: Path) -> None:
    directory = tmp_path / "server"
    directory.mkdir()
    with kept(directory, "", SLEEPS, lambda: True):
        assert directory.exists()
    assert not directory.exists()


def test_a_failure_in_the_block_stops_the_server_too(tmp_path: Path) -> None:
    directory = tmp_path / "server"
    directory.mkdir()
    with pytest.raises(ZeroDivisionError), kept(directory, "", SLEEPS, lambda: True):
        raise ZeroDivisionError
    assert not directory.exists()
