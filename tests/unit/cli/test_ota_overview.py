# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.ota_overview import overview_json, overview_lines
from ostrya.uptane.client.installs import Install, Result, State, Target
from ostrya.uptane.client.overview import Overview, SeenEcu, SeenFile
from ostrya.uptane.client.state import Condition, Trouble
from ostrya.uptane.client.system_view import SeenDeployment, SeenSystem
from ostrya.uptane.steps import Repository
from support.ota_device import NOW

ONE = Target("ecu-1", "fw-1", 7, {"sha256": "1" * 64}, 1, "urn:1")
TWO = ONE._replace(name="fw-2", hashes={"sha512": "2" * 128})
FAILED = Result(success=False, code="INSTALL_FAILED", description="it does not boot")
FULL = Overview(
    "car-1", "https://host",
    (
        SeenEcu("ecu-1", "board", ONE, Install(2, TWO, State.APPLIED)),
        SeenEcu("ecu-2", "door", None, None, TWO, FAILED),
    ),
    ("ecu-9",), True, (SeenFile(Repository.DIRECTOR, "targets", 3, "2020-01-01T00:00:00Z", True),),
    {"updates": Trouble(Condition.FAILED, "it broke", "mend it", NOW, NOW, 3)},
    {"ecu-1": "freeze"}, "2026-12-01T08:00:00Z", "", 4,
)  # fmt: skip


SYSTEM = SeenSystem(
    "/",
    (
        SeenDeployment("os", "b" * 64, 0, "os-3", "3.0", is_next=True, mark="staged"),
        SeenDeployment("os", "a" * 64, 1, "", "", is_booted=True, remark="on trial, 1 of 3 starts"),
    ),
    "77: its health checks failed", "/boot is full", ("the record is damaged",),
)  # fmt: skip


def test_the_system_is_seen(schema):
    lines = list(overview_lines(FULL, SYSTEM))
    at = lines.index("system /")
    assert lines[at + 1 : at + 7] == [
        f"  os {'b' * 64}.0: os-3, version 3.0, staged, booted next",
        f"* os {'a' * 64}.1",
        "    on trial, 1 of 3 starts",
        "  rolled back last: 77: its health checks failed",
        "  what was staged last did not become the default: /boot is full",
        "  damage: the record is damaged",
    ]
    assert "  has no deployments" in list(overview_lines(FULL, SeenSystem("/")))
    unread = SeenSystem("/x", problem="there is none")
    assert "  cannot be read: there is none" in list(overview_lines(FULL, unread))
    for system in (SYSTEM, unread, None):
        schema(overview_json(FULL, system), "ota-info")
    found = overview_json(FULL, SYSTEM)["system"]
    assert (found["deployments"][0]["mark"], found["deployments"][1]["image"]) == ("staged", None)


def test_people_read_all_of_it():
    lines = list(overview_lines(FULL))
    for line in (
        "device car-1",
        "metadata fetched yes",
        "last success never",
        "ECU ecu-1 (Primary), a board",
        f"  runs fw-1 ({'1' * 64})",
        f"  pending fw-2 ({'2' * 128}): counts after a restart",
        "ECU ecu-2, a door",
        f"  gave up fw-2 ({'2' * 128}): INSTALL_FAILED: it does not boot",
        "expired 2020-01-01T00:00:00Z: targets 3 of the Director",
        "4 events wait to be handed in",
        "attack noted by ecu-1: freeze",
        "updates: failed: it broke",
        "  mend it",
        "  3 times since 2026-12-01T08:00:00Z, last 2026-12-01T08:00:00Z",
    ):
        assert line in lines
    assert "nothing is wrong" not in lines
    assert list(overview_lines(Overview()))[-1] == "nothing is wrong"


def test_programs_read_all_of_it(schema):
    for seen in (FULL, Overview()):
        schema(overview_json(seen), "ota-info")
    found = overview_json(FULL)
    assert found["ecus"][0]["pending"]["state"] == "applied"
    assert found["ecus"][1]["given_up"]["reason"] == "INSTALL_FAILED: it does not boot"
    assert found["troubles"][0]["condition"] == "failed"
