# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli import system_restart
from ostrya.cli.options import flag
from ostrya.cli.parser import parse_arguments
from ostrya.cli.system_restart import load_if_wanted, restart_if_wanted
from ostrya.sysroot import kexec
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.loading import Loaded
from ostrya.sysroot.paths import DeploymentName

OPTIONS = (flag("reboot", ""), flag("kexec", ""))


def loaded(*, booted: bool) -> Loaded:
    return Loaded(0, 0, (Deployment("os", DeploymentName("5c" * 32, 0), "3f", booted=booted),))


@pytest.mark.parametrize(
    ("argv", "booted", "count"),
    [(["--reboot"], True, 1), (["--reboot"], False, 0), ([], True, 0)],
)
def test_restarts(monkeypatch, argv, booted, count):
    commands = []
    monkeypatch.setattr(system_restart, "run", commands.append)
    restart_if_wanted(parse_arguments(OPTIONS, argv), loaded(booted=booted))
    assert commands == [["systemctl", "reboot"]] * count


@pytest.mark.parametrize("argv", [["--kexec"], []])
def test_kernels(monkeypatch, argv):
    asked = []
    monkeypatch.setattr(kexec, "load_for_kexec", lambda *words: asked.append(words))
    there = loaded(booted=True)
    load_if_wanted(parse_arguments(OPTIONS, argv), "sysroot", there)
    assert asked == [("sysroot", there.deployments[0])] * len(argv)
