# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_to_and_fro(admin):
    machine = admin.machine
    machine.deploy(machine.commit("1"))
    admin.start()
    machine.commit("2")
    assert admin.fails("lock-finalization", status=50) == "No staged deployment"
    admin.ok("deploy", "--lock-finalization", "test/os")
    assert " (finalization locked)" in admin.ok("status")
    said = "Staged deployment is"
    assert admin.ok("lock-finalization") == f"{said} already finalization locked\n"
    assert admin.ok("lock-finalization", "-u") == f"{said} now queued to apply on shutdown\n"
    assert " (staged)" in admin.ok("status")
    queued = f"{said} already prepared for finalization\n"
    assert admin.ok("lock-finalization", "--unlock") == queued
    assert admin.ok("lock-finalization") == f"{said} now finalization locked\n"
