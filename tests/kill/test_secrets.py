"""Secrets stay where they lie: no log line at any level, no row, no event, no metric ever has one (issue 5)."""

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs
from urllib.request import urlopen

import pytest

from connectors.simulators import seller
from connectors.simulators.microsoft365 import SIMULATED_SECRET, Fault
from connectors.simulators.seller import Fault as SellerFault
from connectors.simulators.serving import Answer
from tests.connectors.test_tokens import certificate
from tests.kill.history import begin, busy_day
from tests.kill.house import House, Ports, a_house
from tests.services.postgres import Postgres
from tests.worker import outside

pytestmark = pytest.mark.timeout(600)

OF_DATABASE, OF_MAIL = "a-password-of-the-database", "a-password-of-the-mail-server"
_LONG = re.compile(r"[A-Za-z0-9_-]{24,}")


def secrets(house: House) -> set[str]:
    """Every secret that there is: those that were given, and all that went over the wire."""
    found = {SIMULATED_SECRET, seller.SIMULATED_SECRET, outside.SECRET, OF_DATABASE, OF_MAIL}
    found |= {seller.SIMULATED_SECRET.partition("_")[2], outside.SECRET.partition("_")[2], outside.KEY.decode()}
    for request in house.asked:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            found |= {token, *token.split(".")}
        if "oauth2" in request.target:
            said = parse_qs(request.body.decode())
            for name in ("client_secret", "client_assertion"):
                found |= {part for value in said.get(name, ()) for part in (value, *value.split("."))}
    return {secret for secret in found if len(secret) >= 16}


def links(house: House) -> set[str]:
    """The tokens of links: with one of them and a token, a walk can be gone on with."""
    queries = [request.target.partition("?")[2] for request in house.asked]
    tokens = [text for query in queries for text in _LONG.findall(query.partition("token=")[2])]
    return set(tokens)


@pytest.mark.parametrize("how", ["secret", "certificate"])
def test_no_secret_is_ever_logged_or_stored(
    tmp_path: Path, postgres: Postgres, fresh_postgres: str, redis_url: str, ports: Ports, how: str
) -> None:
    """With every level of the log on, and with everything failing that may quote what it was sent."""
    folder = tmp_path / "house"
    url = fresh_postgres.replace("postgres@", f"postgres:{OF_DATABASE}@")
    with a_house(folder, url, redis_url, ports) as house:
        house.level = 1
        house.settings = replace(house.settings, smtp_url=f"smtp://ops:{OF_MAIL}@127.0.0.1:{ports.nobody}")
        begin(house)
        if how == "certificate":
            key = folder / "secrets" / "contoso.pem"
            key.touch(mode=0o600)
            key.write_bytes(certificate())
            text = house.contoso.file.read_text()
            house.contoso.file.write_text(
                re.sub(r"secret: \{env: \w+\}", "certificate: {file: contoso.pem}", text, count=1)
            )
        for kind in ("error", "unauthorized", "claims", "reset", "cut", "malformed"):
            house.world.simulator.order(Fault(kind, "*", after=2))
        house.world.simulator.order(Fault("error", "login/*"), Fault("foreign_link", "/users/delta"))
        house.portal.order(SellerFault("error"), SellerFault("refuse", status=401), SellerFault("cut"))
        house.hook.answers = lambda _event: Answer(401, {}, b"I know " + outside.SECRET.encode())
        house.start()
        house.until(lambda: len(house.contoso.licenses()) == 9, lambda: house.contoso.row())
        house.hook.answers = lambda _event: outside.YES
        busy_day(house)
        house.until(lambda: "archived" in house.contoso.licenses().values())
        house.until(lambda: not house.world.rows("SELECT 1 FROM orders WHERE state IN ('wanted', 'placed')"))
        house.each_effect_once()
        urls = [str(event["url"]) for event in house.said() if "url" in event]
        metrics = "".join(urlopen(f"{url}/metrics", timeout=20).read().decode() for url in urls)
        logs = "".join(log.read_text() for log in folder.glob("*.log"))
        rows = repr(house.world.dump(frozenset()))
        with house.world.store.read() as tx:
            feed = repr(tx.audit.feed(0, 100_000))
        known, walked = secrets(house), links(house)
        assert len(known) > 8 and walked and '"level":"debug"' in logs
        for place, text in {"logs": logs, "rows": rows, "feed": feed, "metrics": metrics}.items():
            assert [secret for secret in known if secret in text] == [], place
        assert [token for token in walked if token in logs or token in feed or token in metrics] == []
