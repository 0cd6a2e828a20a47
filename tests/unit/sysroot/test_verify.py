# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SignatureError, SysrootError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.detached import write_detached
from ostrya.repo.reader import load_commit_bytes
from ostrya.repo.remotes import add_remote, delete_remote
from ostrya.sign.ed25519 import Ed25519Signer
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.verify import deployment_signatures, verify_deployment
from support.ed25519_keys import key_pair
from support.small_repos import object_path

KEY = "ostree.sign.ed25519"


@pytest.fixture
def deployment(machine):
    """One that came from a remote which asks for a signature."""
    settings = [
        ("gpg-verify", "false"),
        ("sign-verify", "ed25519"),
        ("verification-ed25519-key", key_pair(1).public_text),
    ]
    add_remote(machine.sysroot.repo, "vendor", "https://x.test/r", settings)
    return machine.deploy(machine.commit("1"), origin=Origin.following("vendor:test/os"))


def sign(machine, deployment, number: int) -> None:
    repo = machine.sysroot.repo
    data = load_commit_bytes(repo, deployment.checksum)
    signature = Ed25519Signer(key_pair(number).secret).sign(data)
    write_detached(repo, deployment.checksum, VarDict(((KEY, Variant("aay", (signature,))),)))


def test_who_vouches(machine, deployment):
    with pytest.raises(SignatureError, match="Can't verify commit without detached metadata"):
        verify_deployment(machine.sysroot, deployment)
    sign(machine, deployment, 2)
    with pytest.raises(SignatureError, match=r"^Can't verify commit: "):
        verify_deployment(machine.sysroot, deployment)
    sign(machine, deployment, 1)
    assert "ed25519" in verify_deployment(machine.sysroot, deployment)
    assert deployment_signatures(machine.sysroot, deployment, 0) == []


def test_nobody_asks(machine, deployment):
    repo = machine.sysroot.repo
    sign(machine, deployment, 1)
    delete_remote(repo, "vendor")
    add_remote(repo, "vendor", "https://x.test/r", [("gpg-verify", "false")])
    with pytest.raises(SignatureError, match="GPG verification disabled, and no signapi"):
        verify_deployment(machine.sysroot, deployment)
    delete_remote(repo, "vendor")
    assert deployment_signatures(machine.sysroot, deployment, 0) == []


def test_what_came_from_no_remote(machine, deployment):
    with pytest.raises(SysrootError, match="Cannot verify deployment without remote"):
        verify_deployment(
            machine.sysroot, deployment._replace(origin=Origin.following("local/ref"))
        )
    without = deployment._replace(origin=None)
    with pytest.raises(SysrootError, match="No origin/refspec, cannot verify"):
        verify_deployment(machine.sysroot, without)
    assert deployment_signatures(machine.sysroot, without, 0) == []


def test_commits_that_are_gone(machine, deployment):
    name = ObjectName(deployment.checksum, ObjectType.COMMIT)
    object_path(machine.sysroot.repo, name).unlink()
    with pytest.raises(SysrootError, match="Cannot verify, failed to load commit"):
        verify_deployment(machine.sysroot, deployment)


def test_openpgp_signatures_that_are_none(machine, deployment):
    repo = machine.sysroot.repo
    delete_remote(repo, "vendor")
    add_remote(repo, "vendor", "https://x.test/r", [])
    assert deployment_signatures(machine.sysroot, deployment, 0) == []
    sign(machine, deployment, 1)
    with pytest.raises(SignatureError):
        verify_deployment(machine.sysroot, deployment)
