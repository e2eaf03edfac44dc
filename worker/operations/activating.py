"""Activating a license key: its lot goes into the pool that it is for, once, and whoever waits is served (M6).

the key names a company     into that company's own pool, or into the global one that it draws from
it names none               into the global pool, or into the own pool of the company that is said
"""

from datetime import date
from typing import TYPE_CHECKING

from connectors.errors import NeedsPerson
from connectors.license_keys import verified
from connectors.secrets import Secrets
from policies.license_keys import BadKey, LicenseKey, read_key
from policies.provider import Provider
from store.directories import RETIRED
from store.times import micros
from worker.errors import Usage
from worker.operations.ending import last_day_of
from worker.operations.lots import GLOBAL, Added, NewLot, own_pool, put_in
from worker.operations.terms import kind_of, provider_saying

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App


def activate(app: "App", text: str, who: str, *, company: str | None = None, renews: bool = True) -> Added:
    """Put the lot of a license key into its pool, once. `company` is whom the key must be for, or whose own pool it
    is to go into where it is for nobody.

    Raises NoKey for what is no key; BadKey for one that is none of this provider's, or over; Usage for another
    company's; Conflict for one that was activated before.
    """
    now = app.clock()
    read_key(text)
    with app.store.read() as tx:
        provider = provider_saying(app, tx, lambda provider: provider.license_keys is not None)
    try:
        key = read_signed(app, text, provider)
    except NeedsPerson as problem:
        raise BadKey(f"the license key cannot be verified: {problem}; {problem.remedy}") from None
    if key is None:
        raise BadKey("license keys cannot be verified: provider.yaml names no `license_keys: {public_key: {file: …}}`")
    refuse_over(key, now.date())
    with app.store.begin() as tx:
        kind_of(app, tx, key.license)
        pool = _pool(tx, key, company)
        new = NewLot(
            key.license, key.seats, None, key.term, key.starts, key.expires, renews, key.id, f"license key {key.id}"
        )
        named = None if key.company is None else tx.directories.company(key.company).key
        added = put_in(app, tx, pool, new, who, bought_for=named)
        tx.license_keys.use_up(key.id, tx.lots.by_id(added.lot.id), who, micros(now))
        return added


def read_signed(app: "App", text: str, provider: Provider) -> LicenseKey | None:
    """What a key of the provider's says; None where the provider's file names no public key to verify it by.

    Raises BadKey, and NeedsPerson where the public key cannot be read.
    """
    if provider.license_keys is None:
        return None
    return verified(text, provider.license_keys.public_key, Secrets(app.settings.secrets_dir))


def refuse_over(key: LicenseKey, today: date) -> None:
    """Raises BadKey for a key whose lot has ended, on the day that it says or that its term comes to."""
    ends = last_day_of(key.term, key.starts or today, key.expires)
    if ends is not None and ends < today:
        raise BadKey(f"the license key {key.id} ended on {ends}; there is nothing left of it to activate")


def _pool(tx: "Transaction", key: LicenseKey, company: str | None) -> int:
    if key.company is None:
        return GLOBAL if company is None else own_pool(tx, company)
    if company is not None and company != key.company:
        raise Usage(f"the license key {key.id} is for {key.company}, and not for {company}")
    row = tx.directories.company(key.company)
    if row.state == RETIRED:
        raise Usage(f"the license key {key.id} is for {key.company}, which is retired")
    return row.pool
