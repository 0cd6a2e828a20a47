# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SysrootError
from ostrya.formats.checksum import Checksum
from ostrya.sysroot import paths
from ostrya.sysroot.paths import DeploymentName

COMMIT = Checksum("5c" * 32)
NAME = DeploymentName(COMMIT, 12)


def test_names():
    assert DeploymentName.parse(f"{COMMIT}.12") == NAME
    assert str(NAME) == f"{COMMIT}.12"
    for text in (
        COMMIT,
        f"{COMMIT}.",
        f"{COMMIT}.01",
        f"{COMMIT}.1.origin",
        f"{COMMIT[1:]}.0",
        "x.0",
    ):
        assert DeploymentName.parse(text) is None


def test_places():
    assert paths.deployment_dir("os", NAME) == f"ostree/deploy/os/deploy/{COMMIT}.12"
    assert paths.origin_file("os", NAME) == f"ostree/deploy/os/deploy/{COMMIT}.12.origin"
    assert paths.backing_dir("os", NAME) == f"ostree/deploy/os/backing/{COMMIT}.12"
    assert paths.var_dir("os") == "ostree/deploy/os/var"
    assert paths.stateroot_dir("os") == "ostree/deploy/os"
    assert paths.boot_links(1) == "ostree/boot.1"
    assert paths.boot_links_dir(1, 0) == "ostree/boot.1.0"
    assert paths.entries_dir(1) == "boot/loader.1/entries"
    assert paths.kernel_dir("os", "3f") == "boot/ostree/os-3f"


@pytest.mark.parametrize("name", ["os", "fedora-iot", "a.b", "A_1+x", "Bücher"])
def test_stateroots(name):
    assert paths.check_stateroot(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a\n", "a\0", 'a"'])
def test_what_is_no_stateroot(name):
    with pytest.raises(SysrootError):
        paths.check_stateroot(name)
