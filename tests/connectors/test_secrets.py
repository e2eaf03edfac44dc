"""Secrets are read where policy files point to, and nowhere else."""

import os
from pathlib import Path

import pytest

from connectors.errors import NeedsPerson
from connectors.secrets import Secrets
from policies.credentials import EnvRef, FileRef


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    (tmp_path / "secrets").mkdir()
    return Secrets(tmp_path / "secrets", {"CONTOSO_SECRET": "s3cret\n", "EMPTY": " ", "SEATKEEPER_REDIS_URL": "x"})


def put(secrets: Secrets, name: str, content: bytes, mode: int = 0o600) -> Path:
    path = secrets.directory / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_secret_comes_from_the_environment_or_from_a_file_without_its_line_break(secrets: Secrets) -> None:
    put(secrets, "contoso.txt", b"\xef\xbb\xbfs3cret\r\n", 0o640)

    assert secrets.text(EnvRef("CONTOSO_SECRET")) == "s3cret"
    assert secrets.text(FileRef("contoso.txt")) == "s3cret"
    assert secrets.text(FileRef(str(secrets.directory / "contoso.txt"))) == "s3cret"


def test_a_rotated_secret_is_found(secrets: Secrets) -> None:
    put(secrets, "contoso.txt", b"old")
    assert secrets.text(FileRef("contoso.txt")) == "old"
    put(secrets, "contoso.txt", b"new")
    assert secrets.text(FileRef("contoso.txt")) == "new"


def test_a_file_that_everybody_can_read_is_refused_with_what_to_do(secrets: Secrets) -> None:
    path = put(secrets, "contoso.txt", b"s3cret", 0o644)

    with pytest.raises(NeedsPerson, match="can be read by everybody") as needed:
        secrets.text(FileRef("contoso.txt"))

    assert needed.value.remedy == f"chmod o= {path}"


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/hostname", "link.txt"])
def test_a_file_outside_the_secrets_directory_is_refused(secrets: Secrets, path: str) -> None:
    (secrets.directory.parent / "outside.txt").write_text("s3cret")
    os.symlink("../outside.txt", secrets.directory / "link.txt")

    with pytest.raises(NeedsPerson, match="outside the secrets directory"):
        secrets.text(FileRef(path))


def test_links_within_the_secrets_directory_are_followed_as_kubernetes_makes_them(secrets: Secrets) -> None:
    (secrets.directory / "..2026").mkdir()
    put(secrets, "..2026/key", b"s3cret")
    os.symlink("..2026", secrets.directory / "..data")
    os.symlink("..data/key", secrets.directory / "key")

    assert secrets.text(FileRef("key")) == "s3cret"


@pytest.mark.parametrize(
    "ref, said",
    [
        (EnvRef("MISSING"), "the environment variable MISSING is not set"),
        (EnvRef("SEATKEEPER_REDIS_URL"), "the environment variable SEATKEEPER_REDIS_URL is not set"),
        (EnvRef("EMPTY"), "the environment variable EMPTY is empty"),
        (FileRef("missing.txt"), "the secret file missing.txt cannot be read: No such file or directory"),
        (FileRef("binary.pfx"), "the secret file binary.pfx is not text"),
    ],
)
def test_what_is_missing_is_named(secrets: Secrets, ref: EnvRef | FileRef, said: str) -> None:
    put(secrets, "binary.pfx", b"\x30\x82\xff\xfe")

    with pytest.raises(NeedsPerson) as needed:
        secrets.text(ref)

    assert str(needed.value) == said
    assert needed.value.remedy


def test_a_file_that_is_too_large_for_a_secret_is_not_read(secrets: Secrets) -> None:
    put(secrets, "disk.img", b"x" * (1 << 20) + b"x")

    with pytest.raises(NeedsPerson, match="larger than any secret"):
        secrets.data(FileRef("disk.img"))


def test_secrets_are_not_shown_when_their_keeper_is(secrets: Secrets) -> None:
    assert "s3cret" not in repr(secrets)
