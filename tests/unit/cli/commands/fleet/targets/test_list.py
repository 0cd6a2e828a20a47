# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_images(run, made, firmware, schema):
    found = run.ok("fleet", "targets", "list", made[0], "--json").json()
    schema(found, "fleet-targets-list")
    (one,) = found["targets"]
    assert (one["name"], one["kind"], one["length"], one["version"]) == (firmware, "binary", 8, "1")
