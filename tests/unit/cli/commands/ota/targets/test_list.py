# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_images(run, made, schema):
    folder, path = made
    run.ok("ota", "targets", "add", "fw", path, "--hardware-id=board", "--release=1.0", folder)
    found = run.ok("ota", "targets", "list", folder, "--json").json()
    schema(found, "ota-targets-list")
    (one,) = found["targets"]
    assert (one["name"], one["length"], one["published"]) == ("fw", 8, False)
    assert one["custom"]["version"] == "1.0"
    assert run.ok("ota", "targets", "list", folder).out.startswith("staged: fw  8  ")
