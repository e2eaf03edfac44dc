"""What google-api-python-client's documentation shows: its service, page by page, and an ORM object per user."""

from typing import Any

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.bench.idiom_tables import Base, User


def sync_users(options: dict[str, Any]) -> int:
    """List everybody and license everybody; returns how many. Signing in is not what is compared."""
    engine = create_engine(options["database"])
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    place = {"api_endpoint": f"{options['url']}/"}
    signed = Credentials(options["token"])  # type: ignore[no-untyped-call]
    service = build("admin", "directory_v1", credentials=signed, client_options=place)
    request, seen = service.users().list(customer="my_customer", maxResults=500, orderBy="email"), 0
    with Session(engine) as session:
        while request is not None:
            page = request.execute()
            for user in page.get("users", []):
                jobs = user.get("organizations") or [{}]
                session.merge(
                    User(
                        id=user["id"],
                        address=user["primaryEmail"],
                        name=user["name"]["fullName"],
                        department=jobs[0].get("department"),
                        license="standard",
                    )
                )
                seen += 1
            session.commit()
            request = service.users().list_next(request, page)
    engine.dispose()
    return seen
