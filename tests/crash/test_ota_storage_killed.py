# SPDX-License-Identifier: Apache-2.0
"""Killed at every write of its database, a device goes on: nothing twice, nothing lost.

After each kill the database opens, all that the device was told that it may rely on is there, and the
same program run again comes to the same end: one installation, each event once, counters that only
grow.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from ostrya.uptane.client import installs, trust_store
from ostrya.uptane.client.event_queue import oldest_events
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import Repository
from support import crashes

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1200)]

PROGRAM = Path(__file__).resolve().parents[1] / "support/ota_writer.py"
CALLS = ("pwrite64", "fdatasync", "fsync", "unlink", "ftruncate")
SAMPLE = 5
EVENTS = [f"EcuInstallation{one}" for one in ("Started", "Applied", "Completed")]


def argv(folder: Path) -> list[str]:
    return [sys.executable, "-I", str(PROGRAM), str(folder / "sql.db"), str(folder / "log")]


def promises(folder: Path) -> list[list[str]]:
    log = folder / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def check_promises(folder: Path) -> None:
    told = promises(folder)
    if not told:
        # Killed before anything was promised; the database need not even be one yet.
        return
    with open_storage(str(folder / "sql.db")) as storage:
        events = {one["eventType"]["id"] for _, one in oldest_events(storage, 99)}
        for kind, *words in told:
            if kind == "event":
                assert words[0] in events
            elif kind == "counter":
                assert storage.rows("SELECT value FROM counters")[0][0] >= int(words[0])
            elif kind == "installed":
                assert installs.installed_images(storage)["ecu-1"].name == words[0]
            else:
                found = trust_store.load_trusted(storage, Repository(words[0]), Dialect.UPTANE)
                assert found.root.header.version >= int(words[1])
                assert found.dropped == ()


def check_end(folder: Path) -> None:
    with open_storage(str(folder / "sql.db")) as storage:
        (one,) = installs.install_log(storage, "ecu-1")
        assert (one.target.name, one.state) == ("firmware", installs.State.CURRENT)
        kinds = [event["eventType"]["id"] for _, event in oldest_events(storage, 99)]
        assert kinds == EVENTS
        assert len(installs.results(storage)) == 1
        assert trust_store.load_trusted(storage, Repository.IMAGE, Dialect.UPTANE).targets
    counters = [int(words[1]) for words in promises(folder) if words[0] == "counter"]
    assert counters == sorted(set(counters))


def test_killed_at_every_write(tmp_path, crash_full):
    whole = tmp_path / "whole"
    whole.mkdir()
    points = crashes.find_points(argv(whole), tmp_path / "trace", CALLS)
    check_end(whole)
    calls = Counter(point.call for point in points)
    # More than ten changes, each of which waits for the disk more than once.
    assert calls["pwrite64"] > 30
    assert calls["fdatasync"] + calls["fsync"] > 20
    for number, point in enumerate(crashes.sample(points, None if crash_full else SAMPLE)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert crashes.run_and_kill(argv(folder), tmp_path / "trace", point), point
        check_promises(folder)
        # And again, to the end.
        crashes.find_points(argv(folder), tmp_path / "trace", ("fsync",))
        check_end(folder)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_disk_that_fails(tmp_path, error, crash_full):
    """One sentence, nothing half done, and the next attempt goes on."""
    whole = tmp_path / "whole"
    whole.mkdir()
    points = crashes.find_points(argv(whole), tmp_path / "trace", ("pwrite64", "fdatasync"))
    for number, point in enumerate(crashes.sample(points, None if crash_full else SAMPLE)):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = crashes.run_and_fail(argv(folder), tmp_path / "trace", point, error)
        assert done.returncode == 0 or "StorageError" in done.stderr.splitlines()[-1], done.stderr
        check_promises(folder)
        crashes.find_points(argv(folder), tmp_path / "trace", ("fsync",))
        check_end(folder)
