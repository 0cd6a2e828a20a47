# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess

import pytest

from ostrya.boot.initramfs.hooks import PREPARE_ROOT, hook_files, install_hooks


def test_they_are_put_where_they_are_looked_for(tmp_path):
    new = install_hooks(str(tmp_path))
    assert sorted(new) == sorted(file.path for file in hook_files())
    for path in (
        PREPARE_ROOT,
        "usr/lib/dracut/modules.d/98ostrya/module-setup.sh",
        "usr/share/initramfs-tools/hooks/ostrya",
        "usr/share/initramfs-tools/scripts/local-bottom/ostrya",
    ):
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o755
    assert install_hooks(str(tmp_path)) == ()


def test_libostrees_own_program_stays_unless_it_is_to_go(tmp_path):
    program = tmp_path / PREPARE_ROOT
    program.parent.mkdir(parents=True)
    program.write_text("theirs")
    assert PREPARE_ROOT not in install_hooks(str(tmp_path))
    assert program.read_text() == "theirs"
    assert PREPARE_ROOT in install_hooks(str(tmp_path), replace=True)
    assert program.read_text().startswith("#!/bin/sh")


@pytest.mark.parametrize(
    "file", [f for f in hook_files() if f.data.startswith(b"#!")], ids=lambda f: f.path
)
def test_they_are_shell(file):
    shell = file.data.splitlines()[0][2:].decode()
    subprocess.run([shell, "-n"], input=file.data, check=True)
