"""`seatkeeper init`: a commented policy to start from, and what to consent to."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.call import Call
from console.cli.groups import Command

if TYPE_CHECKING:
    from worker.operations.initial import Begun

NO_KEY = "(client_id in the JSON key of your service account; --google-key FILE prints it)"


@click.command(cls=Command)
@click.argument("company", default="example")
@click.option(
    "--kind",
    type=click.Choice(["microsoft365", "google_workspace"]),
    help="Which kind of directory the policy begins with; without it, Microsoft 365, with Google's as a comment.",
)
@click.option("--tenant", help="The Microsoft tenant's id, or one of its domains.")
@click.option("--client-id", help="The application (client) id of your app registration.")
@click.option("--google-key", type=click.Path(path_type=Path), help="The JSON key of your Google service account.")
def init(
    call: Call, company: str, kind: str | None, tenant: str | None, client_id: str | None, google_key: Path | None
) -> None:
    """Write a commented policy for COMPANY into the policy folder; never overwrites.

    Then says what an administrator of the directory has to consent to.
    """
    from worker.operations.initial import MICROSOFT, begin

    begun = begin(
        call.settings.policy_dir,
        company,
        tenant=tenant,
        client_id=client_id,
        google_key=google_key,
        kind=kind or MICROSOFT,
    )
    call.answer(
        {
            "file": str(begun.file),
            "microsoft": {"admin_consent_url": begun.consent_url, "permissions": begun.permissions},
            "google": {
                "client_id": begun.google_client_id,
                "scopes": begun.google_scopes,
                "optional_scopes": begun.google_optional_scopes,
            },
        },
        lambda: _lines(begun, kind, client_id),
    )


def _lines(begun: "Begun", kind: str | None, client_id: str | None) -> Iterator[str]:
    yield f"Wrote {begun.file}: a commented policy to start from."
    yield ""
    if kind != "google_workspace":
        yield from _of_microsoft(begun, client_id)
    if kind != "microsoft365":
        yield from _of_google(begun)
    yield "Then: seatkeeper doctor && seatkeeper sync --dry-run"


def _of_microsoft(begun: "Begun", client_id: str | None) -> Iterator[str]:
    yield "Microsoft 365: an administrator of the tenant opens"
    yield f"  {begun.consent_url}"
    if client_id is None:
        yield "  (with your app registration's own client id: seatkeeper init --client-id ID prints it in place)"
    yield f"  which grants, read only: {', '.join(begun.permissions)}."
    yield ""


def _of_google(begun: "Begun") -> Iterator[str]:
    yield "Google Workspace: you need a service account with a JSON key, and the Admin SDK API enabled in its project."
    yield "  A super administrator of the customer opens the Admin console, Security > Access and data control >"
    yield "  API controls > Domain-wide delegation, and adds the numeric client id"
    yield f"    {begun.google_client_id or NO_KEY}"
    yield "  with the scopes, read only, in one line:"
    yield f"    {','.join(begun.google_scopes)}"
    yield "  The first is always needed, the others for rules by groups and by organizational units; and, optional, for"
    yield "  `read_every`, which lets audit events spare large customers most reads:"
    yield f"    {','.join(begun.google_optional_scopes)}"
    yield "  It can take up to 24 hours, and where the customer requires it a second super administrator has to"
    yield "  approve."
    yield "  `admin` in the policy is a user of the customer who has signed in once, with an admin role that may read"
    yield "  users, groups and organizational units; make one for this."
    yield ""
