# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a=b", "c"], "a=b c"),
        ([], ""),
        (["--merge", "c"], "quiet x=1 x=2 c"),
        (["--merge", "--replace=x=3"], "quiet x=3"),
        (["--merge", "--append=x=3", "y"], "quiet x=1 x=2 x=3 y"),
    ],
)
def test_the_default_deployment_changes(admin, words, expected):
    admin.machine.deploy(admin.machine.commit("1"), kargs="quiet")
    admin.machine.deploy(admin.machine.commit("2"), kargs="quiet x=1 x=2")
    admin.ok("instutil", "set-kargs", *words)
    found = [str(one.kargs) for one in admin.machine.loaded.deployments]
    assert found == [expected, "quiet"]


def test_arguments_of_the_running_kernel(admin):
    admin.machine.deploy(admin.machine.commit("1"), kargs="nothing-else")
    admin.ok("instutil", "set-kargs", "--import-proc-cmdline", "--merge", "mine")
    found = str(admin.machine.loaded.deployments[0].kargs)
    assert found.endswith("mine")
    assert "nothing-else" not in found
    assert "BOOT_IMAGE" not in found
