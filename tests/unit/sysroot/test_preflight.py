# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.boot.kargs import KernelArguments
from ostrya.errors import OstryaError
from ostrya.formats.gvariant.vardict import Variant
from ostrya.pull.errors import OlderCommit
from ostrya.pull.options import RefRequest
from ostrya.pull.outlook import Outlook
from ostrya.pull.pull import pull
from ostrya.repo.partial import is_partial
from ostrya.repo.refs import list_refs
from ostrya.sysroot import preflight
from ostrya.sysroot.boot_space import MARGIN_BYTES
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.order import Retain
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.preflight import Manner, Need, check_upgrade, plan_deployment
from ostrya.sysroot.upgrade import FetchHow, fetch_upgrade, find_target
from support.machines import REF, Machine, write


@pytest.fixture
def following(machine) -> Machine:
    first = machine.commit("1", repo=machine.add_vendor())
    pull(machine.sysroot.repo, "vendor", [RefRequest(REF)])
    machine.deploy(first, origin=Origin.following(f"vendor:{REF}"), kargs="quiet")
    return machine


def check(machine, how=FetchHow(), **wanted):  # noqa: B008
    target = find_target(machine.loaded, "test", **wanted)
    target, outlook = check_upgrade(machine.sysroot, target, how)
    wish = DeployWish("test", outlook.commit, target.origin)
    return plan_deployment(machine.sysroot, machine.loaded, wish, target.merge, outlook=outlook)


def test_nothing_new(following):
    found = check(following)
    assert not found.is_new
    assert (found.fetch_files, found.fetch_bytes, found.obstacles) == (0, 0, [])


@pytest.mark.parametrize("sizes", [True, False])
def test_what_an_upgrade_would_fetch(following, sizes):
    merge = following.loaded.deployments[0]
    write(following.etc(merge) / "app", "mine\n")

    def edit(tree):
        write(tree / "usr/etc/app/conf", "theirs\n")

    second = following.commit("2", repo=following.vendor, edit=edit, sizes=sizes)
    found = check(following)
    assert (found.checksum, found.version, found.is_new) == (second, "2", True)
    assert found.fetch_files > 5
    assert (found.fetch_bytes is None, found.repo.needed_bytes is None) == (not sizes, not sizes)
    assert found.boot is None
    assert found.obstacles == ["/etc/app: a file here, a directory in the new defaults"]
    # Nothing has moved.
    repo = following.sysroot.repo
    assert list_refs(repo)[f"vendor:{REF}"] == merge.checksum
    assert is_partial(repo, second)
    # And it can be pulled all the same.
    pull(repo, "vendor", [RefRequest(REF)])
    assert not is_partial(repo, second)
    assert check(following).fetch_files == 0


def test_older_commits(following):
    following.commit("2", repo=following.vendor, timestamp=1)
    with pytest.raises(OlderCommit):
        check(following)
    assert check(following, FetchHow(allow_downgrade=True)).is_new
    pull(following.sysroot.repo, "vendor", [RefRequest(REF)])
    with pytest.raises(OlderCommit):
        check(following)


def test_another_ref_takes_over(following):
    new = following.commit("3", repo=following.vendor, ref="test/next")
    metadata = [("ostree.endoflife-rebase", Variant("s", "test/next"))]
    following.commit("2", repo=following.vendor, metadata=metadata)
    assert check(following).checksum == new


def test_a_commit_to_stay_at(following):
    second = following.commit("2", repo=following.vendor)
    following.commit("3", repo=following.vendor)
    assert check(following, override=second).checksum == second


def test_a_commit_to_stay_at_of_a_ref_at_its_end(following):
    metadata = [("ostree.endoflife-rebase", Variant("s", "test/next"))]
    second = following.commit("2", repo=following.vendor, metadata=metadata)
    pull(following.sysroot.repo, "vendor", [RefRequest(REF)])
    target = find_target(following.loaded, "test", override=second)
    found, outlook = check_upgrade(following.sysroot, target, FetchHow())
    done = fetch_upgrade(following.sysroot, target)
    assert outlook.commit == done.checksum == second
    assert found == done.target
    assert found.origin.refspec == "vendor:test/next"


@pytest.mark.parametrize("name", ["../x", "5c" * 32])
def test_an_end_that_leads_nowhere(following, name):
    metadata = [("ostree.endoflife-rebase", Variant("s", name))]
    following.commit("2", repo=following.vendor, metadata=metadata)
    with pytest.raises(OstryaError):
        check(following)


def test_kernel_arguments_and_what_goes(machine):
    first = machine.commit("1")
    machine.deploy(first, kargs="a b=1")
    machine.deploy(first, retain=Retain(all=True))
    loaded = machine.loaded
    merge, old = loaded.deployments
    wish = DeployWish("test", machine.commit("2"), None, KernelArguments.parse("a b=2 c"))
    found = plan_deployment(machine.sysroot, loaded, wish, merge)
    assert (found.kargs_added, found.kargs_removed) == (("b=2", "c"), ("b=1",))
    assert found.going == (old.name,)
    kept = plan_deployment(machine.sysroot, loaded, wish, merge, manner=Manner(Retain(all=True)))
    assert kept.going == ()
    first_ever = plan_deployment(machine.sysroot, loaded, wish, None)
    assert first_ever.is_new
    assert first_ever.etc == ()
    shown = json.loads(json.dumps(found.as_json()))
    assert shown["going"] == [str(old.name)]
    assert shown["repo"]["fits"] is True


def test_a_delta_counts_where_there_is_one(machine):
    machine.deploy(machine.commit("1"))
    loaded = machine.loaded
    second = machine.commit("2")
    outlook = Outlook(second, 100, 1000)
    found = plan_deployment(
        machine.sysroot, loaded, DeployWish("test", second), loaded.deployments[0], outlook=outlook
    )
    # All is here.
    assert (found.by_delta, found.fetch_bytes) == (False, 0)


def test_room_in_boot(machine, monkeypatch):
    monkeypatch.setattr("ostrya.sysroot.sysroot.Sysroot.has_own_boot", property(lambda _: True))
    first = machine.deploy(machine.commit("1"))
    loaded = machine.loaded

    def need(checksum, going=()):
        wish = DeployWish("test", checksum)
        return preflight._boot_need(machine.sysroot, loaded, wish, list(going), Manner())

    same = machine.commit("1", edit=lambda tree: write(tree / "usr/x", "x"))
    assert need(same).needed_bytes == 0
    other = need(machine.commit("2"), [first])
    assert other.needed_bytes is not None
    assert other.needed_bytes > 0
    assert other.freed_bytes > 0
    assert other.fits


@pytest.mark.parametrize(
    ("asked", "settings", "allowed"),
    [
        (Manner(), {}, False),
        (Manner(early_prune=True), {}, True),
        (Manner(), {"early_prune": "true"}, True),
        (Manner(early_prune=True, staged=True), {}, False),
        (Manner(retain=Retain(all=True), early_prune=True), {}, False),
    ],
)
def test_what_goes_may_go_first(machine, monkeypatch, asked, settings, allowed):
    monkeypatch.setattr("ostrya.sysroot.sysroot.Sysroot.has_own_boot", property(lambda _: True))
    for version in "12":
        machine.deploy(machine.commit(version))
    machine.configure("sysroot", **settings)
    loaded = machine.loaded
    merge, old = loaded.deployments
    # Exactly the room that the margin takes.
    monkeypatch.setattr(preflight, "_room", lambda _fd: MARGIN_BYTES)
    wish = DeployWish("test", machine.commit("4"))
    found = plan_deployment(machine.sysroot, loaded, wish, merge, manner=asked)
    assert found.boot.fits is allowed
    assert any("/boot" in text for text in found.obstacles) is not allowed
    if not asked.retain.all:
        assert found.going == (old.name,)


def test_the_only_deployment_never_goes_first(machine, monkeypatch):
    monkeypatch.setattr("ostrya.sysroot.sysroot.Sysroot.has_own_boot", property(lambda _: True))
    machine.deploy(machine.commit("1"))
    monkeypatch.setattr(preflight, "_room", lambda _fd: MARGIN_BYTES)
    wish = DeployWish("test", machine.commit("4"))
    manner = Manner(early_prune=True)
    assert not plan_deployment(machine.sysroot, machine.loaded, wish, None, manner=manner).boot.fits


def test_too_little_room():
    assert Need(None, 0).fits
    assert not Need(2, 1).fits
    assert Need(2, 1, 1, frees_first=True).fits
    assert not Need(3, 1, 1, frees_first=True).fits
    assert Need(2, 1, 5).as_json() == {
        "needed_bytes": 2,
        "room_bytes": 1,
        "freed_bytes": 5,
        "frees_first": False,
        "fits": False,
    }


def test_obstacles_say_how_much(machine):
    machine.deploy(machine.commit("1"))
    loaded = machine.loaded
    wish = DeployWish("test", machine.commit("2"))
    found = plan_deployment(machine.sysroot, loaded, wish, loaded.deployments[0])
    full = found._replace(repo=Need(2000, 1000), boot=Need(5, 3))
    assert full.obstacles == [
        "the repository has room for 1.0\N{NO-BREAK SPACE}kB, and 2.0\N{NO-BREAK SPACE}kB are needed",
        "/boot has room for 3 bytes, and 5 bytes are needed",
    ]
