# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest

from ostrya.errors import OstryaError, SysrootError
from ostrya.formats.gvariant.vardict import Variant
from ostrya.pull.errors import OlderCommit
from ostrya.pull.options import RefRequest
from ostrya.pull.pull import pull
from ostrya.repo.refs import list_refs
from ostrya.sysroot.errors import EtcConflict, NotBooted
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.upgrade import (
    FetchHow,
    deploy_upgrade,
    fetch_upgrade,
    find_target,
    switch_target,
)
from support.machines import REF, Machine, write

FOLLOWED = f"vendor:{REF}"


@pytest.fixture
def following(machine) -> Machine:
    """A machine with release 1 deployed, that follows a remote."""
    vendor = machine.add_vendor()
    first = machine.commit("1", repo=vendor)
    machine.deploy(_fetch(machine, first), origin=Origin.following(FOLLOWED), kargs="quiet")
    return machine


def _fetch(machine, checksum):
    from ostrya.pull.options import RefRequest
    from ostrya.pull.pull import pull

    pull(machine.sysroot.repo, "vendor", [RefRequest(REF)])
    return checksum


def upgrade(machine, how=FetchHow(), **wanted):  # noqa: B008
    return fetch_upgrade(machine.sysroot, find_target(machine.loaded, "test", **wanted), how)


def test_nothing_new(following):
    found = upgrade(following)
    assert not found.is_new
    assert found.end_of_life is None


def test_the_newest_commit_is_deployed(following):
    second = following.commit("2", repo=following.vendor)
    found = upgrade(following)
    assert (found.is_new, found.checksum) == (True, second)
    after = deploy_upgrade(following.sysroot, following.loaded, found)
    new, old = after.deployments
    assert new.checksum == second
    assert str(new.kargs) == "quiet"
    assert new.origin == Origin.following(FOLLOWED)
    assert old.checksum != second


def test_what_was_pulled_before_is_enough(following):
    following.commit("2", repo=following.vendor)
    assert not upgrade(following, FetchHow(pulls=False)).is_new
    upgrade(following)
    assert upgrade(following, FetchHow(pulls=False)).is_new


def test_older_commits_are_refused(following):
    older = following.commit("2", repo=following.vendor, timestamp=1)
    with pytest.raises(OlderCommit, match="chronologically older"):
        upgrade(following)
    assert upgrade(following, FetchHow(allow_downgrade=True)).checksum == older
    # It is here now, and would still be older.
    with pytest.raises(OlderCommit):
        upgrade(following, FetchHow(pulls=False))


def test_a_commit_to_stay_at(following):
    second = following.commit("2", repo=following.vendor)
    following.commit("3", repo=following.vendor)
    found = upgrade(following, override=second)
    assert found.checksum == second
    assert found.target.origin.override_commit == second
    assert list_refs(following.sysroot.repo)[FOLLOWED] == second
    after = deploy_upgrade(following.sysroot, following.loaded, found)
    # The next upgrade goes on, since nobody says to stay.
    assert find_target(after, "test").origin.override_commit is None


def test_a_ref_that_has_come_to_its_end(following):
    new = following.commit("3", repo=following.vendor, ref="test/next")
    metadata = [
        ("ostree.endoflife", Variant("s", "no more")),
        ("ostree.endoflife-rebase", Variant("s", "test/next")),
    ]
    following.commit("2", repo=following.vendor, metadata=metadata)
    found = upgrade(following, FetchHow(checks_etc=True))
    assert found.checksum == new
    assert found.target.refspec == "vendor:test/next"
    assert found.target.origin.refspec == "vendor:test/next"
    assert found.end_of_life is None


def test_a_commit_to_stay_at_of_a_ref_at_its_end(following):
    metadata = [("ostree.endoflife-rebase", Variant("s", "test/next"))]
    second = following.commit("2", repo=following.vendor, metadata=metadata)
    pull(following.sysroot.repo, "vendor", [RefRequest(REF)])
    # Nothing of the other ref is needed, so it is not asked for.
    found = upgrade(following, override=second)
    assert found.checksum == second
    assert found.target.refspec == "vendor:test/next"
    assert list_refs(following.sysroot.repo)["vendor:test/next"] == second


def test_an_end_without_another_ref(following):
    following.commit(
        "2", repo=following.vendor, metadata=[("ostree.endoflife", Variant("s", "no more"))]
    )
    assert upgrade(following).end_of_life == "no more"


@pytest.mark.parametrize("name", ["../x", "5c" * 32])
def test_an_end_that_leads_nowhere(following, name):
    following.commit(
        "2", repo=following.vendor, metadata=[("ostree.endoflife-rebase", Variant("s", name))]
    )
    with pytest.raises(OstryaError):
        upgrade(following)


def test_conflicts_are_found_before_files_come(following):
    merge = following.loaded.deployments[0]
    write(following.etc(merge) / "app", "mine\n")

    def edit(tree):
        write(tree / "usr/etc/app/conf", "theirs\n")

    second = following.commit("2", repo=following.vendor, edit=edit)
    with pytest.raises(EtcConflict):
        upgrade(following, FetchHow(checks_etc=True))
    repo = following.sysroot.repo
    assert list_refs(repo)[FOLLOWED] == merge.checksum
    # Nothing was looked at where nobody deploys; the deploy looks for itself.
    found = upgrade(following)
    assert found.checksum == second
    with pytest.raises(EtcConflict):
        deploy_upgrade(following.sysroot, following.loaded, found)
    deploys = following.root / "ostree/deploy/test/deploy"
    assert not (deploys / f"{second}.0").exists()


def test_what_would_conflict_matters_to_a_new_commit_alone(following):
    etc = following.etc(following.loaded.deployments[0])
    shutil.rmtree(etc / "dir")
    write(etc / "dir", "mine\n")
    assert not upgrade(following, FetchHow(checks_etc=True)).is_new


def test_local_refs_are_only_looked_up(machine):
    machine.deploy(machine.commit("1"))
    second = machine.commit("2")
    assert upgrade(machine, FetchHow(checks_etc=True)).checksum == second


def test_what_says_nothing_to_follow(machine):
    loaded = machine.loaded
    with pytest.raises(NotBooted, match="and no OS specified"):
        find_target(loaded)
    with pytest.raises(SysrootError, match="Invalid empty osname"):
        find_target(loaded, "")
    with pytest.raises(SysrootError, match="No previous deployment for OS 'test'"):
        find_target(loaded, "test")
    machine.deploy(machine.commit("1"), origin=Origin.empty())
    with pytest.raises(SysrootError, match="No origin/refspec in current deployment origin"):
        find_target(machine.loaded, "test")
    origin = machine.root / f"{machine.loaded.deployments[0].path}.origin"
    origin.write_text("[origin]\nrefspec=a:b\nunconfigured-state=Register\n")
    with pytest.raises(SysrootError, match=r"^origin unconfigured-state: Register"):
        find_target(machine.loaded, "test")
    assert find_target(machine.loaded, "test", configured=False).refspec == "a:b"
    origin.unlink()
    with pytest.raises(SysrootError, match="No origin known for deployment"):
        find_target(machine.loaded, "test")


def test_the_running_system_is_the_default(machine):
    machine.deploy(machine.commit("1"))
    assert find_target(machine.run()).stateroot == "test"


@pytest.mark.parametrize(
    ("wanted", "refspec"),
    [("other", "vendor:other"), ("them:", f"them:{REF}"), ("them:other", "them:other")],
)
def test_switching(following, wanted, refspec):
    target = switch_target(find_target(following.loaded, "test"), wanted)
    assert (target.refspec, target.origin) == (refspec, Origin.following(refspec))


def test_switching_to_the_same(following):
    target = find_target(following.loaded, "test")
    for wanted in (REF, FOLLOWED, "vendor:"):
        with pytest.raises(SysrootError, match="Old and new refs are equal: vendor:test/os"):
            switch_target(target, wanted)
