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
@click.option("--tenant", help="The Microsoft tenant's id, or one of its domains.")
@click.option("--client-id", help="The application (client) id of your app registration.")
@click.option("--google-key", type=click.Path(path_type=Path), help="The JSON key of your Google service account.")
def init(call: Call, company: str, tenant: str | None, client_id: str | None, google_key: Path | None) -> None:
    """Write a commented policy for COMPANY into the policy folder; never overwrites.

    Then says what an administrator of the directory has to consent to.
    """
    from worker.operations.initial import begin

    begun = begin(call.settings.policy_dir, company, tenant=tenant, client_id=client_id, google_key=google_key)
    call.answer(
        {
            "file": str(begun.file),
            "microsoft": {"admin_consent_url": begun.consent_url, "permissions": begun.permissions},
            "google": {"client_id": begun.google_client_id, "scopes": begun.google_scopes},
        },
        lambda: _lines(begun, client_id),
    )


def _lines(begun: "Begun", client_id: str | None) -> Iterator[str]:
    yield f"Wrote {begun.file}: a commented policy to start from."
    yield ""
    yield "Microsoft 365: an administrator of the tenant opens"
    yield f"  {begun.consent_url}"
    if client_id is None:
        yield "  (with your app registration's own client id: seatkeeper init --client-id ID prints it in place)"
    yield f"  which grants, read only: {', '.join(begun.permissions)}."
    yield ""
    yield "Google Workspace: in the Admin console, Security > Access and data control > API controls > Domain-wide"
    yield "  delegation, add the client id"
    yield f"    {begun.google_client_id or NO_KEY}"
    yield "  with the scopes, in one line:"
    yield f"    {','.join(begun.google_scopes)}"
    yield ""
    yield "Then: seatkeeper policy check && seatkeeper sync --dry-run"
