"""What may not leave the public internet."""

import pytest

from connectors.errors import NeedsPerson
from connectors.http import HttpClient, NoAnswer, Request
from connectors.public import is_public
from tests.connectors.scripted import RESET, json, scripted
from tests.services.kept import nobody_listens


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::93.184.216.34"]
)
def test_addresses_that_everybody_can_reach_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:a00:1::1", "::10.0.0.1", "::ffff:0:10.0.0.1", "fec0::1",
    ],
)  # fmt: skip
def test_others_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_name_that_leads_inside_is_sent_nothing(host: str) -> None:
    client = HttpClient()
    with scripted(json({}), json({})) as server:
        url = server.url.replace("127.0.0.1", host)
        with pytest.raises(NeedsPerson, match=f"{host} leads to 127.0.0.1, which is not a public address") as refused:
            client.send(Request("GET", f"{url}/orders", public_only=True))
        assert server.asked == []
        assert client.send(Request("GET", f"{url}/orders")).status == 200

    assert refused.value.unsent
    assert f"add {host} to allowed_hosts" in refused.value.remedy
    client.close()


def test_it_is_told_whether_a_request_may_have_left() -> None:
    client = HttpClient()
    with nobody_listens() as port, pytest.raises(NoAnswer) as nobody_there:
        client.send(Request("GET", f"http://127.0.0.1:{port}/"))
    with scripted(RESET) as server, pytest.raises(NoAnswer) as lost:
        client.send(Request("GET", server.url))

    assert nobody_there.value.unsent
    assert not lost.value.unsent
