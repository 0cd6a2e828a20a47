# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.errors import KernelArgumentError
from ostrya.boot.kargs import KernelArguments
from ostrya.errors import FormatError, SysrootError
from ostrya.repo.remotes import remote_url
from ostrya.sysroot.change import (
    find_index,
    rollback_index,
    set_default,
    set_kargs,
    set_origin,
    set_pinned,
    undeploy,
)
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.errors import DeploymentNotFound
from ostrya.sysroot.loading import Loaded
from ostrya.sysroot.order import Retain
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.stage import finalize_staged, stage_deployment
from support.machines import REF, Machine, names_in


@pytest.fixture
def three(machine) -> Machine:
    """Release 3 before 2 before 1."""
    for version in "123":
        machine.deploy(machine.commit(version), retain=Retain(all=True), kargs="quiet")
    return machine


def versions(machine, loaded: Loaded | None = None) -> list[str]:
    found = loaded or machine.loaded
    return [one.entry.fields["title"].split()[2] for one in found.deployments]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("x", SysrootError, "Invalid index: x"),
        ("", SysrootError, "Invalid index: "),
        ("1" * 19, SysrootError, "Index too large"),
        ("-1", DeploymentNotFound, "Invalid index -1"),
        ("3", DeploymentNotFound, "Out of range deployment index 3, expected < 3"),
        ("booted", DeploymentNotFound, "Deployment type not found: booted"),
    ],
)
def test_no_such_deployment(three, text, kind, words):
    with pytest.raises(kind, match=words):
        find_index(three.loaded, text)


def test_deployments_by_name(three):
    assert find_index(three.loaded, "2") == 2
    loaded = three.run(1)
    assert [find_index(loaded, word) for word in ("pending", "booted", "rollback")] == [0, 1, 2]


def test_undeploy(three):
    gone, after = undeploy(three.sysroot, three.loaded, 1)
    assert versions(three, after) == ["3", "1"]
    assert not (three.root / gone.path).exists()
    with pytest.raises(SysrootError, match="Cannot undeploy currently booted deployment 0"):
        undeploy(three.sysroot, three.run(0), 0)


def test_set_default(three):
    assert versions(three, set_default(three.sysroot, three.loaded, 2)) == ["1", "3", "2"]


def test_rollback(three):
    loaded = three.loaded
    assert rollback_index(loaded) == 1
    assert rollback_index(three.run(1)) == 2
    # There is nothing behind it, but another one would be booted next.
    assert rollback_index(three.run(2)) == 2
    with pytest.raises(DeploymentNotFound, match="no deployment to roll back to"):
        rollback_index(Loaded(0, 0, ()))
    with pytest.raises(DeploymentNotFound):
        rollback_index(Loaded(0, 0, loaded.deployments[:1]))


def test_pins(three):
    pinned = set_pinned(three.sysroot, three.loaded.deployments[2], pinned=True)
    assert pinned.pinned
    assert three.loaded.deployments[2].pinned
    set_pinned(three.sysroot, pinned, pinned=False)
    assert not three.loaded.deployments[2].pinned


def staged(three) -> Loaded:
    loaded = three.loaded
    one: Deployment = loaded.deployments[0]._replace(staged=True)
    return loaded._replace(staged=one, deployments=loaded.deployments[1:])


def test_staged_ones_are_left_alone(three):
    loaded = staged(three)
    with pytest.raises(SysrootError, match="Cannot pin staged deployment"):
        set_pinned(three.sysroot, loaded.all[0], pinned=True)
    with pytest.raises(SysrootError, match="becomes the default at shutdown"):
        set_default(three.sysroot, loaded, 0)


def stage(three, kargs: str | None = None) -> Loaded:
    loaded = three.run(0)
    words = None if kargs is None else KernelArguments.parse(kargs)
    wish = DeployWish("test", three.commit("4"), Origin.following(REF), words)
    return stage_deployment(three.sysroot, loaded, wish, loaded.booted)


@pytest.mark.parametrize(("own", "before"), [(None, "quiet"), ("own", "own")])
def test_kernel_arguments_of_a_staged_one(three, own, before):
    loaded = stage(three, own)
    entries = three.entries()

    def change(at: int, kargs: KernelArguments) -> KernelArguments:
        assert str(kargs.without("ostree")) == (before if at == 0 else "quiet")
        return kargs.append("next") if at == 0 else kargs

    after = set_kargs(three.sysroot, loaded, change)
    assert three.entries() == entries
    assert after.staged is not None
    assert str(three.loaded.staged.kargs) == f"{before} next"
    finalized = finalize_staged(three.sysroot, three.loaded)
    assert [str(one.kargs) for one in finalized.deployments] == [f"{before} next", "quiet"]


def test_kernel_arguments_of_all_beside_a_staged_one(three):
    loaded = stage(three)
    after = set_kargs(three.sysroot, loaded, lambda _at, kargs: kargs.append("more"))
    assert after.staged is not None
    assert [str(one.kargs) for one in after.deployments] == ["quiet more"] * 3
    finalized = finalize_staged(three.sysroot, three.loaded)
    assert [str(one.kargs) for one in finalized.deployments] == ["quiet more"] * 2


@pytest.mark.parametrize("word", ["a=b\nc", 'a="b', "a=\udcff"])
def test_kernel_arguments_that_no_entry_holds(three, word):
    before = names_in(three.root / "ostree"), three.entries()
    arguments = KernelArguments.parse(word)
    with pytest.raises(KernelArgumentError):
        set_kargs(three.sysroot, three.loaded, lambda _at, _kargs: arguments)
    assert (names_in(three.root / "ostree"), three.entries()) == before


def test_kernel_arguments(three):
    def change(at: int, kargs: KernelArguments) -> KernelArguments:
        assert str(kargs.without("ostree")) == "quiet"
        return kargs.append(f"at={at}")

    before = [one.name for one in three.loaded.deployments]
    after = set_kargs(three.sysroot, three.loaded, change)
    assert [str(one.kargs) for one in after.deployments] == [
        "quiet at=0", "quiet at=1", "quiet at=2",
    ]  # fmt: skip
    assert [one.name for one in after.deployments] == before
    # What leads to the deployment is there once.
    assert all(text.count("ostree=") == 1 for text in three.entries().values())


def test_no_deployment_to_change(machine):
    with pytest.raises(SysrootError, match="Unable to find a deployment in sysroot"):
        set_kargs(machine.sysroot, machine.loaded, lambda _at, kargs: kargs)


def test_what_is_followed(machine):
    repo = machine.sysroot.repo
    first = machine.deploy(machine.commit("1"))
    set_pinned(machine.sysroot, first, pinned=True)
    first = machine.loaded.deployments[0]
    set_origin(
        machine.sysroot, first, "them", "https://x.test/r", settings=[("gpg-verify", "false")]
    )
    first = machine.loaded.deployments[0]
    assert first.origin == Origin.following(f"them:{REF}").with_pinned(pinned=True)
    assert remote_url(repo, "them") == "https://x.test/r"
    # A remote that is there stays as it is.
    set_origin(machine.sysroot, first, "them", "https://y.test/r", branch="other")
    assert machine.loaded.deployments[0].origin.refspec == "them:other"
    assert remote_url(repo, "them") == "https://x.test/r"


def test_what_cannot_be_followed(machine):
    first = machine.deploy(machine.commit("1"))
    with pytest.raises(FormatError):
        set_origin(machine.sysroot, first, "a/b", "https://x.test/r")
    with pytest.raises(FormatError):
        set_origin(machine.sysroot, first, "them", "https://x.test/r", branch="../x")
    with pytest.raises(SysrootError, match="branch is required"):
        set_origin(machine.sysroot, first._replace(origin=None), "them", "https://x.test/r")
