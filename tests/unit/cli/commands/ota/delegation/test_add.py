# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def supplier(run, tmp_path):
    run.ok("ota", "keys", "create", "supplier", f"--dir={tmp_path / 'sup'}")
    return tmp_path / "sup"


def test_a_supplier(run, made, supplier):
    folder, path = made
    words = [f"--key={supplier / 'supplier.pub'}", "--path=sup/*", folder]
    assert len(run.ok("ota", "delegation", "add", "supplier", *words).out) == 65
    assert run("ota", "targets", "sign", folder).status == 1
    run.ok("ota", "targets", "sign", folder, f"--keys={supplier}")
    run.ok("ota", "targets", "add", "sup/fw", path, "--role=supplier", "--hardware-id=b", folder)
    run.ok("ota", "targets", "sign", folder, f"--keys={supplier}")


def test_what_was_signed_elsewhere(run, made, supplier, tmp_path):
    folder, path = made
    run.ok(
        "ota",
        "delegation",
        "add",
        "supplier",
        f"--key={supplier / 'supplier.pub'}",
        "--path=*",
        folder,
    )
    run.ok("ota", "targets", "sign", folder, f"--keys={supplier}")
    run.ok("ota", "targets", "add", "sup/fw", path, "--role=supplier", "--hardware-id=b", folder)
    staged = tmp_path / "img/staged/supplier.json"
    staged.rename(tmp_path / "supplier.json")
    done = run.ok(
        "ota", "delegation", "add", "supplier", f"--metadata={tmp_path / 'supplier.json'}", folder
    )
    assert done.out == "supplier 2: 1 images\n"


def test_refused(run, made, supplier):
    run.fails("ota", "delegation", "add", made[0], status=2)
    run.fails("ota", "delegation", "add", "supplier", "--path=*", made[0], status=70)
    run.fails(
        "ota", "delegation", "add", "supplier", "--key=/nothing", "--path=*", made[0], status=1
    )
