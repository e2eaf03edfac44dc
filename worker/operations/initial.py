"""A policy to start from, and what an administrator of the directory has to consent to."""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote, urlencode

from worker.errors import Usage

COMPANY_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PLAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")
NO_CLIENT = "00000000-0000-0000-0000-000000000000"
MICROSOFT_PERMISSIONS = ("User.Read.All", "GroupMember.Read.All", "MailboxSettings.Read")
"""Application permissions of the app registration; none of them writes."""
GOOGLE_SCOPES = (
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
    "https://www.googleapis.com/auth/admin.directory.orgunit.readonly",
)
"""What the service account may be delegated; none of them writes."""
GOOGLE_OPTIONAL_SCOPES = ("https://www.googleapis.com/auth/admin.reports.audit.readonly",)
"""What it may be delegated beside, for `read_every`."""
MICROSOFT, GOOGLE = "microsoft365", "google_workspace"
_REDIRECT = "https://localhost"
_DIRECTORIES = re.compile(
    r"^(  example-m365:.*?)^(  # example-gws:.*?)(?=^  # example-export:)", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Begun:
    """What was written, and what is left to an administrator."""

    file: Path
    consent_url: str
    permissions: tuple[str, ...]
    google_client_id: str | None
    google_scopes: tuple[str, ...]
    google_optional_scopes: tuple[str, ...]


def begin(
    folder: Path,
    company: str,
    *,
    tenant: str | None = None,
    client_id: str | None = None,
    google_key: Path | None = None,
    kind: str = MICROSOFT,
) -> Begun:
    """Write `<company>.yaml` into the policy folder, which is made if need be, for a directory of this kind. Raises
    Usage rather than overwrite."""
    if not COMPANY_ID.fullmatch(company):
        raise Usage(f"{company!r} is no id for a company, expected a-z, 0-9 and -")
    for what, given in (("tenant", tenant), ("client id", client_id)):
        if given is not None and not PLAIN.fullmatch(given):
            raise Usage(f"{given!r} is no {what}")
    file = folder / f"{company}.yaml"
    google_client_id = None if google_key is None else _client_id(google_key)
    text = _for_google(start_text()) if kind == GOOGLE else start_text()
    text = _filled(text, company, tenant, client_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise Usage(f"{file} is there already, and is not overwritten") from None
    url = consent_url(tenant, client_id)
    return Begun(file, url, MICROSOFT_PERMISSIONS, google_client_id, GOOGLE_SCOPES, GOOGLE_OPTIONAL_SCOPES)


def start_text() -> str:
    """The commented policy to start from."""
    return (files("policies") / "examples" / "start.yaml").read_text(encoding="utf-8")


def consent_url(tenant: str | None, client_id: str | None) -> str:
    """Where an administrator consents to the app (Microsoft, "Admin consent on the Microsoft identity platform")."""
    asked = urlencode(
        {
            "client_id": client_id or NO_CLIENT,
            "scope": "https://graph.microsoft.com/.default",
            "redirect_uri": _REDIRECT,
        }
    )
    return f"https://login.microsoftonline.com/{quote(tenant or 'organizations')}/v2.0/adminconsent?{asked}"


def _for_google(text: str) -> str:
    """The same with Google's directory in force, and Microsoft's as a comment."""

    def swapped(found: "re.Match[str]") -> str:
        microsoft = re.sub(r"^  ", "  # ", found[1], flags=re.MULTILINE)
        return re.sub(r"^  # ", "  ", found[2], flags=re.MULTILINE) + microsoft

    return _DIRECTORIES.sub(swapped, text)


def _filled(text: str, company: str, tenant: str | None, client_id: str | None) -> str:
    variable = f"{company.replace('-', '_').upper()}_CLIENT_SECRET"
    text = text.replace("EXAMPLE_CLIENT_SECRET", variable if variable[0].isalpha() else f"COMPANY_{variable}")
    text = text.replace("company: example ", f"company: {company} ").replace("Example Ltd", company.title())
    text = text.replace("tenant: example.com", f"tenant: {tenant}" if tenant else "tenant: example.com")
    text = text.replace(NO_CLIENT, client_id or NO_CLIENT)
    text = text.replace("file: example.json", f"file: {company}.json")
    return re.sub(r"\bexample-(m365|gws|export)\b", rf"{company}-\1", text)


def _client_id(key: Path) -> str:
    """The numeric client id of the service account whose key this is."""
    try:
        found = json.loads(key.read_text(encoding="utf-8"))["client_id"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Usage(f"{key} is no JSON key of a Google service account") from None
    return str(found)
