# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat

from cryptography.hazmat.primitives.serialization import pkcs12

from ostrya.fleet.certificates import Purpose, Wish, issue
from ostrya.fleet.domain.services import open_services


def test_a_certificate_for_it(run, made, tmp_path):
    out = run.ok("fleet", "device", "add", made[0], "car-1", f"--output={tmp_path}").out
    assert out == f"{tmp_path}/car-1.p12\n"
    assert stat.S_IMODE((tmp_path / "car-1.p12").stat().st_mode) == 0o600
    key, _, more = pkcs12.load_key_and_certificates((tmp_path / "car-1.p12").read_bytes(), b"")
    assert key
    assert len(more) == 1
    words = ["fleet", "device", "add", made[0], "car-1", f"--output={tmp_path}"]
    assert "exists already" in run.fails(*words, status=2)
    assert "there is a device car-1 already" in run.fails(*words, "--pem", status=80)
    assert run.ok(*words, "--pem", "--renew").lines == [
        f"{tmp_path}/car-1.pem", f"{tmp_path}/car-1.key", f"{tmp_path}/ca.pem",
    ]  # fmt: skip


def test_one_that_was_made_elsewhere(run, made, tmp_path):
    with open_services(str(tmp_path / "f")) as services:
        fleet = services.fleet
        found = issue(fleet.authority, Wish("car-2", Purpose.DEVICE, 30), fleet.now())
    (tmp_path / "car-2.pem").write_bytes(found.certificate_pem())
    option = f"--certificate={tmp_path / 'car-2.pem'}"
    assert "car-2 is registered" in run.ok("fleet", "device", "add", made[0], option).out
    assert "one ID" in run.fails("fleet", "device", "add", made[0], option, "x", status=2)
    assert "one ID" in run.fails("fleet", "device", "add", made[0], status=2)
