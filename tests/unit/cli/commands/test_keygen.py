# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat

import pytest


@pytest.mark.parametrize("engine", ["ed25519", "spki"])
def test_what_one_file_signs_the_other_verifies(run, sample, tmp_path, engine):
    name = tmp_path / "vendor"
    run.ok("keygen", f"--sign-type={engine}", str(name))
    sign = (sample.option, "sign", f"--sign-type={engine}")
    run.ok(*sign, f"--keys-file={name}.secret", "main")
    verify = (*sign, "--verify", f"--keys-file={name}.public", "main")
    assert "verified" in run.ok(*verify).out


def test_the_secret_is_the_owners(run, tmp_path):
    run.ok("keygen", str(tmp_path / "vendor"))
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.glob("vendor.*")}
    assert modes == {"vendor.secret": 0o600, "vendor.public": 0o644}


@pytest.mark.parametrize("there", ["vendor.secret", "vendor.public"])
def test_keys_are_never_replaced(run, tmp_path, there):
    (tmp_path / there).write_text("old")
    assert "exists already" in run.fails("keygen", str(tmp_path / "vendor"), status=2)
    assert [p.name for p in tmp_path.glob("vendor.*")] == [there]
    assert (tmp_path / there).read_text() == "old"


@pytest.mark.parametrize("names", [(), ("a", "b"), ("folder/",)])
def test_a_name_is_needed(run, names):
    run.fails("keygen", *names, status=2)


def test_engines(run, tmp_path):
    assert "not implemented" in run.fails("keygen", "--sign-type=rot13", str(tmp_path / "x"))
    assert "no keys" in run.fails("keygen", "--sign-type=dummy", str(tmp_path / "x"))
