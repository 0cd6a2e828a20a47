# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from support.machines import names_in


def test_what_nothing_needs(admin):
    deployment = admin.machine.deploy(admin.machine.commit("1"))
    folder = admin.machine.root / "ostree/deploy/test/deploy"
    (folder / f"{'5c' * 32}.0").mkdir()
    assert admin.ok("cleanup") == ""
    assert names_in(folder) == sorted([str(deployment.name), f"{deployment.name}.origin"])
