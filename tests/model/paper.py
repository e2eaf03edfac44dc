"""What a customer's policy may say, and how its file says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID

SECRET = "CONTOSO_SECRET"
GROUPS = ("Staff", "Board", "Leavers")
LEAVES = ("keep", "{then: release, after: 0s}", "{then: archive, after: 0s}", "release", "archive")


@dataclass(frozen=True)
class Paper:
    """A customer's wishes."""

    rules: tuple[str, ...] = ("staff", "shared")
    """By name, from the top; see `_RULES`."""
    on_leave: str = "keep"
    on_disable: str = "keep"
    spares_board: bool = False
    """The board is excepted from the rule for the staff."""
    staff_limit: int | None = None
    limit: int | None = None
    """Of standard licenses from the global pool."""
    deleted_users: str = "archive"
    mailboxes: str = "one_per_license"
    auto: bool = False
    spare: int = 0
    pack: int = 1
    most_per_order: int = 3
    most_per_month: int = 5
    approve_above: int = 25
    seller: str = "manual"
    renew: str = "all"
    exchanges: bool = True
    most_removed: int = 50
    """The safety limits on archiving, releasing, unassigning and purging."""
    most_bought: int = 50
    retention: int = 60

    def text(self, company: str, *, own_pool: bool) -> str:
        """The file."""
        licenses = {
            "pool": "own" if own_pool else "global",
            "limit": "{}" if self.limit is None or own_pool else f"{{standard: {self.limit}}}",
            "retention": f"{self.retention}d",
            "shared_mailboxes": self.mailboxes,
            "renew": self.renew,
            "exchange_expired": "true" if self.exchanges else "false",
        }
        buying = {
            "auto": "true" if self.auto else "false",
            "spare": self.spare,
            "pack": self.pack,
            "most_per_order": max(self.pack, self.most_per_order),
            "most_per_month": self.most_per_month,
            "approve_above": self.approve_above,
            "term": "monthly",
        }
        removals = dict.fromkeys(_REMOVALS, f"{{most: {self.most_removed}, share: 100%}}")
        parts = [
            f"company: {company}\nname: {company.title()}\ndirectories: {{{company}-m365: {{kind: microsoft365, tenant:"
            f" {company}, credential: {{client_id: {SIMULATED_CLIENT_ID}, secret: {{env: {SECRET}}}}}}}}}",
            f"rules:\n{''.join(f'  - {self._rule(name)}' for name in self.rules)}",
            f"licenses: {_said(licenses)}",
            f"safety: {_said({**removals, 'purchase': f'{{most: {self.most_bought}}}'})}",
            "" if self.deleted_users == "archive" else f"deleted_users: {self.deleted_users}",
        ]
        if self.auto:
            seller = "" if self.seller == "manual" else f"seller: {_HTTP}, "
            parts.append(f"purchasing: {{{seller}standard: {_said(buying)}, archived: {_said(buying)}}}")
        return "\n".join(part for part in parts if part and not part.endswith(": {}")) + "\n"

    def _rule(self, name: str) -> str:
        says = _RULES[name]
        if name == "staff":
            says += ", except: {groups: [Board]}" if self.spares_board else ""
            says += "" if self.staff_limit is None else f", limit: {self.staff_limit}"
        if name in ("staff", "everyone"):
            says += "".join(
                f", {key}: {leave}"
                for key, leave in (("on_leave", self.on_leave), ("on_disable", self.on_disable))
                if leave != "keep"
            )
        return f"{{name: {name}, {says}}}\n"


def _said(keys: Mapping[str, object]) -> str:
    """A mapping without what is so anyway: a file is read after every edit, and the shorter the quicker."""
    return f"{{{', '.join(f'{key}: {value}' for key, value in keys.items() if str(value) not in _ANYWAY[key])}}}"


_REMOVALS = ("archive", "release", "unassign", "purge")
_ANYWAY = {
    "pool": ("global",), "limit": ("{}",), "retention": ("60d",), "shared_mailboxes": ("one_per_license",),
    "renew": ("all",), "exchange_expired": ("true",), "auto": ("false",), "spare": ("0",), "pack": ("1",),
    "most_per_order": ("50",), "most_per_month": ("100",), "approve_above": ("25",), "term": ("yearly",),
    "purchase": ("{most: 50}",), **dict.fromkeys(_REMOVALS, ("{most: 50, share: 100%}",)),
}  # fmt: skip
_HTTP = "{kind: http, url: 'https://portal.example', secret: {env: CONTOSO_SECRET}}"
_RULES = {
    "board": "groups: [Board], license: standard, limit: 1",
    "staff": "groups: [Staff], license: standard",
    "everyone": "everyone: true, license: standard",
    "shared": "mailboxes: shared, license: standard",
    "kept": "groups: [Leavers], license: archived",
    "nobody": "groups: [Leavers], license: none",
}

papers = st.builds(
    Paper,
    rules=st.sampled_from(
        (
            ("staff", "shared"), ("everyone", "shared"), ("board", "staff", "shared"), ("kept", "everyone", "shared"),
            ("nobody", "board", "everyone", "shared"), ("shared",), ("board", "staff"), ("nobody", "staff", "shared"),
        )
    ),
    on_leave=st.sampled_from(LEAVES),
    on_disable=st.sampled_from(LEAVES),
    spares_board=st.booleans(),
    staff_limit=st.sampled_from((None, None, 1, 2)),
    limit=st.sampled_from((None, None, None, 2, 3)),
    deleted_users=st.sampled_from(("archive", "archive", "keep", "release", "{then: release, after: 0s}")),
    mailboxes=st.sampled_from(("one_per_license", "one_per_license", "unlimited", "0", "1")),
    auto=st.booleans(),
    spare=st.sampled_from((0, 0, 1, 2)),
    pack=st.sampled_from((1, 1, 2)),
    most_per_order=st.sampled_from((2, 3, 6)),
    most_per_month=st.sampled_from((3, 5, 8)),
    approve_above=st.sampled_from((1, 25)),
    seller=st.sampled_from(("manual", "http")),
    renew=st.sampled_from(("all", "all", "as_needed", "off")),
    exchanges=st.sampled_from((True, True, False)),
    most_removed=st.sampled_from((50, 50, 1, 0)),
    most_bought=st.sampled_from((50, 50, 1)),
    retention=st.sampled_from((60, 60, 3)),
)  # fmt: skip
"""Wishes of all sorts."""
