"""`seatkeeper notices`: what is told before backups go, and its answer (R1)."""

from tests.console.conftest import Terminal
from tests.proves import proves


@proves("R1")
def test_notices_are_listed_with_their_accounts_and_acknowledged_once(licensed: Terminal) -> None:
    text = (licensed.folder / "policies.d" / "contoso.yaml").read_text()
    text = text.replace("on_leave: {then: archive, after: 7d}", "on_leave: {then: release, after: 0s}")
    text = text.replace("groups: [Backup Staff]", "groups: [Backup Staff]\n    domains: [nowhere.example]")
    licensed.policy(f"{text}safety: {{release: {{most: 1000, share: 100%}}}}\nlicenses: {{retention: 12h}}\n")
    assert licensed("sync").code == 0
    assert licensed("sync").code == 0
    [notice] = licensed("notices", "list", "--json").json
    released = licensed("accounts", "list", "--protection", "retained", "--json").json
    assert released
    assert sorted(account["id"] for account in notice["accounts"]) == sorted(row["id"] for row in released)
    assert (notice["company"], notice["days"], notice["accepted"]) == ("contoso", 1, None)
    assert notice["id"] in licensed("notices", "list").out
    assert "seatkeeper notices list" in licensed("status").out
    assert licensed("notices", "ack", notice["id"], "--json").json == {"accepted": [notice["id"]]}
    assert licensed("notices", "ack", notice["id"], "--json").json == {"accepted": []}
    assert licensed("notices", "list").out == "No notice waits for an answer.\n"
    assert len(licensed("notices", "list", "--all", "--json").json) == 1


@proves("R1", "A2")
def test_status_says_who_is_not_told_before_backups_go_and_what_to_do(licensed: Terminal) -> None:
    text = (licensed.folder / "policies.d" / "contoso.yaml").read_text()
    text = text.replace("on_leave: {then: archive, after: 7d}", "on_leave: {then: release, after: 0s}")
    text = text.replace("groups: [Backup Staff]", "groups: [Backup Staff]\n    domains: [nowhere.example]")
    text += "safety: {release: {most: 1000, share: 100%}}\nlicenses: {retention: 12h}\n"
    licensed.policy(text)
    assert (licensed("sync").code, licensed("sync").code) == (0, 0)
    assert "nobody is told before backups of contoso go" in licensed("status").out
    licensed.policy(f"{text}notify: [email: {{to: [ops@contoso.example]}}]\n")
    assert licensed("sync").code == 0
    said = licensed("status").out
    assert "nobody is told" not in said and "What to do: set SEATKEEPER_SMTP_URL" in said
    found = licensed("status", "--json").json
    assert found["told_nobody"] == [] and found["notices"] == 1
    [receiver] = found["receivers"]
    assert (receiver["receiver"], receiver["state"]) == ("email:ops@contoso.example", "failing")
    assert receiver["companies"] == ["contoso"] and receiver["next_attempt"] is not None


def test_a_notice_that_is_not_there_and_one_that_is_not_named(terminal: Terminal) -> None:
    assert terminal("notices", "ack", "notice-1", "--json").code != 0
    said = terminal("notices", "ack", "--json")
    assert (said.code, said.error["message"]) == (2, "say which notices, or --all")
    assert terminal("notices", "ack", "--all", "--json").json == {"accepted": []}
