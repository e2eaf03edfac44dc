"""A vendor's portal: a seller that is asked over HTTP, by signed requests with an idempotency key (`kind: http`)."""

from dataclasses import dataclass
from typing import Annotated

from connectors.kinds import SellerConnector
from policies.document import SecretRef, Url
from policies.key import Key


@dataclass(frozen=True, slots=True)
class Options:
    """A portal that answers over HTTP."""

    url: Annotated[Url, Key("Where the portal answers; orders go to `/orders` below it.")]
    secret: Annotated[SecretRef, Key("The secret that requests are signed with, as Standard Webhooks has it.")]


SELLER = SellerConnector(options=Options, opens="connectors.portal.seller:open_seller", kind="http")
