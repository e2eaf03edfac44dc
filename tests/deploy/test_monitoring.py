"""Dashboards and alerts look at metrics that the program has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase
from ruamel.yaml import YAML

from policies.model import WaitReason
from store.directories import FAILING, FROZEN, HEALTHY, NEVER_RUN
from store.engine import open_store
from store.gauges import Gauges
from store.order_rows import AWAITING, PLACED, WANTED
from store.processes import SCHEDULER, UP, WORKER
from worker.bootstrap import build
from worker.settings import Settings
from worker.standing_metrics import Standing, families
from worker.telemetry import Telemetry

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "monitoring" / "alerts.yaml"
DASHBOARD = DEPLOY / "monitoring" / "dashboard.json"


@pytest.fixture
def metrics(tmp_path: Path, sqlite_template: Path) -> set[str]:
    """The names of everything that a process tells."""
    telemetry = Telemetry()
    app = build(Settings(database_url=f"sqlite:///{tmp_path}/empty.db", policy_dir=tmp_path))
    open_store(app.settings.database_url).close()
    telemetry.registry.register(Standing(app))
    text = generate_latest(telemetry.registry).decode()
    app.close()
    kinds = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M)
    return {name + end for name, kind in kinds for end in (("", "_bucket") if kind == "histogram" else ("",))}


def labels() -> dict[str, frozenset[str]]:
    """The labels of each metric that has any, by the names under which it is told."""
    own = [metric for metric in vars(Telemetry()).values() if isinstance(metric, MetricWrapperBase)]
    told = {metric._name: frozenset(metric._labelnames) for metric in own}
    told |= {family.name: frozenset(getattr(family, "_labelnames", ())) for family in families(NOTHING)}
    ends = ("", "_total", "_bucket", "_count", "_sum")
    return {name + end: names for name, names in told.items() for end in ends}


NOTHING = Gauges({}, {}, {}, {}, {}, 0, 0, 0, 0, 0)
VALUES = {
    "state": {HEALTHY, FAILING, FROZEN, NEVER_RUN, WANTED, AWAITING, PLACED},
    "reason": {reason.value for reason in WaitReason},
    "role": {UP, SCHEDULER, WORKER},
    "outcome": {"applied", "nothing_to_do", "held", "partly_held", "failed", "busy", "dry_run"},
}
"""What labels can be, where somebody asks for one of them."""


def rules() -> list[dict[str, Any]]:
    [group] = YAML(typ="safe").load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    shown = [target["expr"] for panel in panels for target in panel["targets"]]
    return shown + [rule["expr"] for rule in rules()]


def test_alerts_and_dashboard_look_at_metrics_that_there_are(metrics: set[str]) -> None:
    named = {name for expression in expressions() for name in re.findall(r"seatkeeper_\w+", expression)}
    assert named <= metrics
    everything = {name for name in metrics if not name.endswith(("_created", "_bucket"))}
    assert everything <= {name.removesuffix("_bucket") for name in named}, "every metric is shown somewhere"


def asked_for(text: str) -> set[str]:
    """The labels that an expression selects by, sums by or shows."""
    grouped = {label.strip() for by in re.findall(r"\bby \(([^)]*)\)", text) for label in by.split(",")}
    return {label for label, _ in re.findall(r'(\w+)=~?"([^"]*)"', text)} | grouped


def test_alerts_and_dashboard_go_by_labels_that_the_metrics_have() -> None:
    known = labels()
    for expression in expressions():
        having = frozenset[str]().union(*(known[name] for name in re.findall(r"seatkeeper_\w+", expression)))
        assert asked_for(expression) <= having | {"le"}, expression
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', expression):
            assert set(values.split("|")) <= VALUES[label], expression


def test_what_is_shown_of_a_series_is_left_of_it() -> None:
    """A legend or a sentence names labels that the expression has kept."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    shown = [(target["expr"], target["legendFormat"]) for panel in panels for target in panel["targets"]]
    shown += [(rule["expr"], " ".join(rule["annotations"].values())) for rule in rules()]
    for expression, text in shown:
        named = set(re.findall(r"\{\{ *(?:\$labels\.)?(\w+) *\}\}", text))
        assert named <= asked_for(expression), (expression, text)


def test_every_alert_says_what_is_so_and_what_to_do() -> None:
    for rule in rules():
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["for"]


def test_the_chart_ships_the_same_alerts() -> None:
    assert (DEPLOY / "helm" / "seatkeeper" / "alerts.yaml").read_bytes() == ALERTS.read_bytes()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        at = panel["gridPos"]
        places = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not places & taken
        taken |= places
