# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_nothing_is_wanted(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    assert admin.ok("post-copy") == ""


def test_seals(admin, monkeypatch):
    sealed = []

    def try_enable(fd, **_options):
        sealed.append(fd)
        return True

    monkeypatch.setattr("ostrya.sysroot.post_copy.try_enable", try_enable)
    admin.machine.deploy(admin.machine.commit("1"))
    admin.machine.configure("ex-integrity", fsverity="maybe")
    admin.ok("post-copy")
    assert sealed
