# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.kargs import KernelArguments
from ostrya.cli import kernel_line
from support.machines import Machine


def test_only_of_what_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_line, "read_text_file", lambda _path: 'a="b c" ostrya.pick=trial\n')
    machine = Machine(tmp_path)
    try:
        assert kernel_line.running_kargs(machine.sysroot) == KernelArguments()
        machine.deploy(machine.commit("1"))
        machine.run()
        assert kernel_line.running_kargs(machine.sysroot).last_value("ostrya.pick") == "trial"
    finally:
        machine.close()
