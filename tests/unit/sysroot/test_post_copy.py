# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SysrootError
from ostrya.sysroot import post_copy
from ostrya.sysroot.post_copy import seal_copied


@pytest.fixture
def sealed(monkeypatch):
    """How many files were sealed; the kernel of tests need not have it."""
    found = []

    def try_enable(fd, *, allow_existing):
        assert allow_existing
        found.append(fd)
        return True

    monkeypatch.setattr(post_copy, "try_enable", try_enable)
    return found


def test_nothing_is_wanted(machine, sealed):
    machine.deploy(machine.commit("1"))
    assert seal_copied(machine.sysroot) == 0
    assert sealed == []


def test_objects_and_images(machine, sealed):
    deployment = machine.deploy(machine.commit("1"))
    machine.configure("ex-integrity", fsverity="maybe")
    objects = seal_copied(machine.sysroot)
    assert objects == len(sealed) > 5
    (machine.root / deployment.path / ".ostree.cfs").write_text("image")
    assert seal_copied(machine.sysroot) == objects + 1


@pytest.mark.parametrize("wanted", ["maybe", "yes"])
def test_where_it_cannot_be(machine, monkeypatch, wanted):
    machine.deploy(machine.commit("1"))
    machine.configure("ex-integrity", fsverity=wanted)
    tries = []

    def try_enable(fd, *, allow_existing):
        tries.append(fd)
        return False

    monkeypatch.setattr(post_copy, "try_enable", try_enable)
    if wanted == "maybe":
        assert seal_copied(machine.sysroot) == 0
    else:
        with pytest.raises(SysrootError, match="fsverity required but filesystem does not"):
            seal_copied(machine.sysroot)
    # It is not asked of each file again.
    assert len(tries) == 1


def test_images_where_it_cannot_be(machine, monkeypatch, sealed):
    deployment = machine.deploy(machine.commit("1"))
    (machine.root / deployment.path / ".ostree.cfs").write_text("image")
    machine.configure("ex-integrity", fsverity="yes")
    monkeypatch.setattr(post_copy, "iter_objects", lambda _repo: ())
    monkeypatch.setattr(post_copy, "try_enable", lambda _fd, **_options: False)
    with pytest.raises(SysrootError):
        seal_copied(machine.sysroot)
