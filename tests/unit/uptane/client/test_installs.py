# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client import installs
from ostrya.uptane.client.event_queue import oldest_events
from ostrya.uptane.client.installs import Result, State, Target
from ostrya.uptane.errors import StorageError
from ostrya.uptane.full_verification import Installed
from support.uptane_world import NOW

ONE = Target("ecu-1", "fw-1", 7, {"sha256": "1" * 64}, 1, "urn:1")
TWO = Target("ecu-1", "fw-2", 7, {"sha256": "2" * 64}, 2, "urn:2")
OK, FAILED = (
    Result(success=True, code="OK"),
    Result(success=False, code="INSTALL_FAILED", description="why"),
)


def install(storage, target, result=OK):
    installs.begin_install(storage, target, NOW)
    installs.mark_applied(storage, target.serial, NOW)
    installs.finish_install(storage, target.serial, result, NOW)


def kinds(storage):
    return [
        one["eventType"]["id"].removeprefix("EcuInstallation")
        for _, one in oldest_events(storage, 99)
    ]


def test_from_beginning_to_end(storage):
    install(storage, ONE)
    install(storage, TWO)
    assert [one.state for one in installs.install_log(storage, "ecu-1")] == [
        State.EARLIER,
        State.CURRENT,
    ]
    assert installs.installed_images(storage) == {"ecu-1": Installed("fw-2", TWO.hashes, 2)}
    assert kinds(storage) == ["Started", "Applied", "Completed"] * 2


def test_nothing_is_installed_twice(storage):
    first = installs.begin_install(storage, ONE, NOW)
    assert installs.begin_install(storage, ONE, NOW) == first
    installs.mark_applied(storage, "ecu-1", NOW)
    installs.mark_applied(storage, "ecu-1", NOW)
    assert installs.begin_install(storage, ONE, NOW).state is State.APPLIED
    assert kinds(storage) == ["Started", "Applied"]
    with pytest.raises(StorageError, match="fw-1 is being installed on ecu-1, and not fw-2"):
        installs.begin_install(storage, TWO, NOW)


def test_a_failure_leaves_what_runs(storage):
    install(storage, ONE)
    install(storage, TWO, FAILED)
    assert installs.installed_images(storage)["ecu-1"].name == "fw-1"
    assert installs.failures(storage, TWO) == 1
    assert installs.failures(storage, ONE) == 0
    install(storage, TWO, FAILED)
    assert installs.failures(storage, TWO) == 2


def test_what_the_director_has_to_be_told(storage):
    install(storage, ONE)
    install(storage, TWO, FAILED)
    found = installs.results(storage)
    assert list(found.values()) == [("ecu-1", OK, "urn:1"), ("ecu-1", FAILED, "urn:2")]
    installs.forget_results(storage, tuple(found)[:1])
    assert [one[2] for one in installs.results(storage).values()] == ["urn:2"]


def test_nothing_is_being_installed(storage):
    assert installs.open_install(storage, "ecu-1") is None
    for change in (
        lambda: installs.mark_applied(storage, "ecu-1", NOW),
        lambda: installs.finish_install(storage, "ecu-1", OK, NOW),
    ):
        with pytest.raises(StorageError, match="nothing is being installed on ecu-1"):
            change()
    assert kinds(storage) == []


def test_ecus_by_themselves(storage):
    installs.begin_install(storage, ONE, NOW)
    other = ONE._replace(serial="ecu-2", release_counter=None)
    install(storage, other)
    assert installs.installed_images(storage) == {"ecu-2": Installed("fw-1", ONE.hashes, None)}


def test_why_something_failed_is_kept_after_the_director_knows(storage):
    assert installs.failure_reason(storage, ONE) is None
    install(storage, ONE, FAILED)
    installs.forget_results(storage, tuple(installs.results(storage)))
    assert installs.failure_reason(storage, ONE) == FAILED
    assert installs.failure_reason(storage, TWO) is None
    none = Result(success=False, code="DOWNLOAD_FAILED", description="gone")
    installs.note_failure(storage, TWO, none, NOW)
    assert installs.failure_reason(storage, TWO) == none
