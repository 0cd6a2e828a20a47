# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.repo.remotes import remote_url


def origin(admin) -> str:
    return admin.machine.loaded.deployments[0].origin.refspec


def test_what_is_followed(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    admin.ok("set-origin", "--index=0", "--set=gpg-verify=false", "them", "https://x.test/r")
    assert origin(admin) == "them:test/os"
    admin.machine.sysroot.repo.reload_config()
    assert remote_url(admin.machine.sysroot.repo, "them") == "https://x.test/r"
    admin.start()
    admin.ok("set-origin", "them", "https://x.test/r", "other")
    assert origin(admin) == "them:other"


def test_what_is_wrong(admin):
    admin.machine.deploy(admin.machine.commit("1"))
    assert admin.fails("set-origin", "x", status=2) == "REMOTENAME and URL must be specified"
    said = admin.fails("set-origin", "them", "https://x.test/r")
    assert said == "Not currently booted into an OSTree system"
    assert "Out of range" in admin.fails("set-origin", "--index=3", "them", "https://x.test/r")
    wrong = ("set-origin", "--index=0", "-s", "x", "them", "https://x.test/r")
    assert admin.fails(*wrong, status=2) == "Missing '=' in KEY=VALUE for --set"
