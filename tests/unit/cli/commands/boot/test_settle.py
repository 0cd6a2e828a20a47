# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_after_a_fallback(boot):
    second = boot.machine.deploy(boot.machine.commit("2"))
    assert boot.ok("settle") == ""
    for _ in range(4):
        boot.machine.start()
    assert f"Rolled back from release {second.checksum}: it did not come up" in boot.ok("settle")
    assert boot.machine.loaded.deployments[0].is_same(boot.machine.first)
    boot.machine.start()
    assert boot.ok("settle") == ""
    said = boot.run.fails("admin", "deploy", "--os=test", second.checksum, status=50)
    assert "was rolled back on this device" in said
    boot.run.ok("admin", "deploy", "--os=test", "--retry-failed", second.checksum)
    assert boot.machine.loaded.deployments[0].checksum == second.checksum
