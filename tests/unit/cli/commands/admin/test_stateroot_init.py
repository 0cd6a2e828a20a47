# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.mark.parametrize("verb", ["stateroot-init", "os-init"])
def test_the_place_of_a_system(admin, verb):
    said = admin.ok(verb, "new")
    assert said == "ostree/deploy/new initialized as OSTree stateroot\n"
    assert (admin.machine.root / "ostree/deploy/new/var").is_dir()
    assert "File exists" in admin.fails(verb, "new", status=50)
    assert admin.fails(verb, status=2) == "STATEROOT must be specified"
