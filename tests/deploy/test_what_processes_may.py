"""Under whom processes run, what they may take, when they are restarted, and how long they have to stop."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_settings_and_commands import CHART, DEPLOY, UNITS, read
from worker.pace import Pace

IMAGE = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, dict[str, Any]] = read(DEPLOY / "container" / "compose.yaml")["services"]
OURS = {name: service for name, service in COMPOSE.items() if service["image"] == "seatkeeper"}
PODS = (CHART / "templates" / "_helpers.tpl").read_text(encoding="utf-8")
VALUES: dict[str, Any] = read(CHART / "values.yaml")
MEGABYTES = {"worker": 768, "scheduler": 512, "up": 768}
"""What a process of each role may take; beyond it something is wrong, and it is started anew."""


def unit(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text(encoding="utf-8"), re.M))


def test_nothing_runs_as_root() -> None:
    last = re.findall(r"^USER (\d+):(\d+)$", IMAGE.rpartition("\nFROM ")[2], re.M)[-1]
    assert last == ("10001", "10001")
    assert {f"runAs{who}: {last[0]}" for who in ("User", "Group")} <= {line.strip() for line in PODS.splitlines()}
    assert "runAsNonRoot: true" in PODS
    assert all("user" not in service and not service.get("privileged") for service in OURS.values())
    for path in UNITS:
        assert (unit(path)["User"], unit(path)["Group"]) == ("seatkeeper", "seatkeeper")


def test_nothing_may_write_where_it_need_not_or_become_more_than_it_is() -> None:
    for service in OURS.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    for line in ("readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", "capabilities: {drop: [ALL]}"):
        assert line in PODS
    assert "automountServiceAccountToken: false" in PODS
    for path in UNITS:
        settings = unit(path)
        assert (settings["ProtectSystem"], settings["NoNewPrivileges"]) == ("strict", "yes")
        assert settings["CapabilityBoundingSet"] == ""


def test_memory_has_the_same_limit_wherever_a_process_runs() -> None:
    for role, values in (("worker", VALUES["workers"]), ("scheduler", VALUES["schedulers"])):
        assert values["resources"]["limits"] == {"memory": f"{MEGABYTES[role]}Mi"}
        assert set(values["resources"]["requests"]) == {"cpu", "memory"}
    for path in UNITS:
        role = re.findall(r"/seatkeeper (\w+)$", unit(path)["ExecStart"])[0]
        assert unit(path)["MemoryMax"] == f"{MEGABYTES[role]}M"
    assert all(service["mem_limit"] == "768m" for service in OURS.values())


def test_logs_do_not_fill_the_disk_of_whoever_runs_compose() -> None:
    for service in COMPOSE.values():
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_probes_ask_what_is_answered_and_wait_for_it() -> None:
    """Who is not alive is restarted; who is not ready is not, since that would mend nothing."""
    probes = dict(re.findall(r"(\w+)Probe:\n\s+httpGet: \{path: (/\w+), port: http\}", PODS))
    assert probes == {"liveness": "/healthz", "readiness": "/readyz"}
    assert PODS.count("timeoutSeconds: 5") == len(probes)
    assert re.findall(r"^EXPOSE (\d+)$", IMAGE, re.M) == re.findall(r"containerPort: (\d+)", PODS) == ["8480"]
    assert "SEATKEEPER_CONSOLE=0.0.0.0:8480" in IMAGE
    for name, service in OURS.items():
        check = service["healthcheck"]
        assert check == {"disable": True} if name == "upgraded" else "127.0.0.1:8480/healthz" in check["test"][-1]


def test_pushes_come_in_only_where_somebody_asked_for_it_and_at_a_port_that_is_served() -> None:
    assert VALUES["pushes"]["service"]["enabled"] is False
    text = (CHART / "templates" / "pushes.yaml").read_text(encoding="utf-8")
    assert text.startswith("{{- if .Values.pushes.service.enabled }}\n") and text.endswith("\n{{- end }}\n")
    selector = '{{- include "seatkeeper.selector" . | nindent %d }}\n%sapp.kubernetes.io/component: scheduler\n'
    pods = (CHART / "templates" / "scheduler.yaml").read_text(encoding="utf-8")
    assert selector % (4, " " * 4) in text and selector % (8, " " * 8) in pods
    assert "targetPort: http}" in text and "{name: http, containerPort: 8480}" in PODS
    assert "type:" not in text, "it is for the cluster alone"


@pytest.mark.parametrize(
    "seconds",
    [
        VALUES["terminationGracePeriodSeconds"],
        *(int(service["stop_grace_period"].removesuffix("s")) for service in OURS.values()),
        *(int(unit(path)["TimeoutStopSec"].removesuffix("s")) for path in UNITS),
    ],
)
def test_a_stop_has_the_time_that_it_takes(seconds: int) -> None:
    assert seconds >= 2 * Pace().grace.total_seconds()


def test_a_process_that_is_not_ready_keeps_no_machine_from_being_emptied() -> None:
    for role in ("worker", "scheduler"):
        text = (CHART / "templates" / f"{role}.yaml").read_text(encoding="utf-8")
        assert "unhealthyPodEvictionPolicy: AlwaysAllow" in text and "maxUnavailable: 1" in text


def test_the_extra_for_traces_is_in_the_image_and_pinned() -> None:
    assert "'.[telemetry]'" in IMAGE
    pinned = (DEPLOY.parent / "constraints.txt").read_text(encoding="utf-8")
    text = (DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8")
    [extra] = re.findall(r"^telemetry = \[\n(.*?)^\]", text, re.M | re.S)
    for name in re.findall(r'"([\w-]+)>=', extra):
        assert f"\n{name}==" in pinned
