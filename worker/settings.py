"""The settings: the environment, or a `.env` file beside it, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from policies.errors import SeatkeeperError


class SettingsError(SeatkeeperError):
    """A setting has a value that cannot be used."""

    code = "settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force; each field is one SEATKEEPER_ variable."""

    database_url: str = field(
        default="sqlite:///seatkeeper.db",
        metadata={"help": "SQLAlchemy URL of the license store; postgresql+psycopg://… for more than one machine"},
    )
    redis_url: str | None = field(
        default=None, metadata={"help": "Redis for Dramatiq; without it messages stay in the process"}
    )
    policy_dir: Path = field(default=Path("policies.d"), metadata={"help": "one *.yaml per company, and provider.yaml"})
    secrets_dir: Path = field(default=Path("/run/secrets"), metadata={"help": "where a {file: …} of a policy must lie"})
    console: str = field(
        default="127.0.0.1:8480", metadata={"help": "where /healthz, /readyz and /metrics are answered"}
    )
    smtp_url: str | None = field(default=None, metadata={"help": "mail to people"})

    @staticmethod
    def variables() -> Mapping[str, str]:
        """Each variable with its meaning."""
        return {f"SEATKEEPER_{f.name.upper()}": f.metadata["help"] for f in fields(Settings)}


_PATHS = ("policy_dir", "secrets_dir")


def read_settings(environment: Mapping[str, str], dotenv: Path | None = Path(".env")) -> Settings:
    """The settings that the environment gives, else the `.env` file, else the defaults.

    Raises SettingsError for a variable that starts with SEATKEEPER_ and is none of ours: a misspelled setting must
    not silently become a default.
    """
    given = {**_dotenv(dotenv), **{k: v for k, v in environment.items() if k.startswith("SEATKEEPER_")}}
    known = {f"SEATKEEPER_{f.name.upper()}": f.name for f in fields(Settings)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SettingsError(f"{unknown[0]} is not a setting; the settings are {', '.join(known)}")
    values = {known[variable]: value for variable, value in given.items() if value != ""}
    return Settings(**{name: Path(value) if name in _PATHS else value for name, value in values.items()})  # type: ignore[arg-type]


def _dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingsError(f"{path}:{number}: expected NAME=value, found {text!r}")
        if name.strip().startswith("SEATKEEPER_"):
            found[name.strip()] = _unquoted(value.strip())
        else:
            os.environ.setdefault(name.strip(), _unquoted(value.strip()))
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
