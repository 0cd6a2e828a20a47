# SPDX-License-Identifier: Apache-2.0
"""A device's life in one go: trust, verify, install, report; to be killed anywhere in it.

Usage: python tests/support/ota_writer.py DATABASE LOG

What it was told that it may rely on goes to LOG, one line each, once the database said so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ostrya.uptane.client import installs, trust_store
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.full_verification import verify_fully
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import Repository, run_steps
from ostrya.uptane.time_floor import TimeFloor
from support.uptane_world import NOW, make_world


def main(database: str, log: str) -> None:
    """Do whatever is not done yet."""
    world = make_world()
    world.director.write_root()
    world.director.publish()
    log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_SYNC, 0o600)

    def promise(*words: object) -> None:
        os.write(log_fd, (" ".join(map(str, words)) + "\n").encode())

    with open_storage(database) as storage:
        for which in Repository:
            query = "SELECT role FROM metadata WHERE repository = ?"
            if not storage.rows(query, which.value):
                first = world.repo(which).files["1.root.json"]
                trust_store.set_first_root(storage, which, first)
                promise("root", which.value, 1)

        def keep(accepted) -> None:
            trust_store.keep(storage, accepted)
            version = accepted.trusted.root.header.version
            promise("root", accepted.repository.value, version)

        trusted = [trust_store.load_trusted(storage, one, Dialect.UPTANE) for one in Repository]
        steps = verify_fully(*trusted, world.vehicle, NOW)
        found = run_steps(steps, lambda one: world.repo(one.repository).files.get(one.file), keep)
        trust_store.keep_time_floor(storage, TimeFloor(NOW))
        promise("counter", storage.next_counter("ecu-1"))
        (one,) = found.agreed
        target = installs.Target("ecu-1", one.name, one.length, one.hashes, one.release_counter)
        if "ecu-1" not in installs.installed_images(storage):
            installs.begin_install(storage, target, NOW)
            promise("event EcuInstallationStarted")
            installs.mark_applied(storage, "ecu-1", NOW)
            promise("event EcuInstallationApplied")
            result = installs.Result(success=True, code="OK")
            installs.finish_install(storage, "ecu-1", result, NOW)
            promise("event EcuInstallationCompleted")
            promise("installed", one.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
