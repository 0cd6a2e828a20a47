# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.formats.gvariant.vardict import Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.reader import has_object
from ostrya.sysroot.boot_space import MARGIN_BYTES
from support.machines import write


@pytest.fixture
def following(admin):
    """A machine that follows a remote, with release 1."""
    machine = admin.machine
    machine.commit("1", repo=machine.add_vendor())
    admin.run.ok("pull", f"--repo={machine.sysroot.repo.path}", "vendor", "test/os")
    admin.ok("deploy", "--os=test", "vendor:test/os")
    return admin


def versions(admin) -> list[str]:
    found = admin.json("status")["deployments"]
    return [one["version"] for one in found]


def test_nothing_new(following, schema):
    assert following.ok("upgrade", "--os=test") == "No update available.\n"
    found = following.json("upgrade", "--os=test")
    schema(found, "admin-upgrade")
    assert (found["is_new"], found["refspec"]) == (False, "vendor:test/os")


def test_the_newest_is_deployed(following):
    machine = following.machine
    second = machine.commit("2", repo=machine.vendor)
    following.start()
    assert "bootconfig swap: yes" in following.ok("upgrade")
    assert versions(following) == ["2", "1"]
    machine.commit("3", repo=machine.vendor)
    found = following.json("upgrade", "--stateroot=test", f"--override-commit={second}")
    assert found["checksum"] == second


def test_nothing_is_pulled_that_cannot_be_staged(following):
    machine = following.machine
    second = machine.commit("2", repo=machine.vendor)
    said = following.fails("upgrade", "--os=test", "--stage")
    assert said.startswith("Cannot stage deployment: Not currently booted")
    assert not has_object(machine.sysroot.repo, ObjectName(second, ObjectType.COMMIT))


def test_in_two_steps(following):
    machine = following.machine
    machine.commit("2", repo=machine.vendor)
    following.ok("upgrade", "--os=test", "--pull-only")
    assert versions(following) == ["1"]
    machine.vendor.close()
    following.ok("upgrade", "--os=test", "--deploy-only")
    assert versions(following) == ["2", "1"]


def test_pieces_of_what_was_not_pulled_go(following, monkeypatch):
    machine = following.machine
    lost = machine.commit("2", ref=None)
    older = machine.commit("3", repo=machine.vendor, timestamp=1)
    said = following.fails("upgrade", "--os=test", "--pull-only")
    assert "chronologically older" in said
    repo = machine.sysroot.repo
    for checksum in (lost, older):
        assert not has_object(repo, ObjectName(checksum, ObjectType.COMMIT))
    following.ok("upgrade", "--os=test", "--allow-downgrade")
    assert versions(following)[0] == "3"


def test_the_end_of_a_ref_is_told(following):
    machine = following.machine
    metadata = [("ostree.endoflife", Variant("s", "no more"))]
    machine.commit("2", repo=machine.vendor, metadata=metadata)
    done = following.run.ok("admin", "upgrade", "--os=test")
    assert "vendor:test/os has come to its end: no more\n" in done.err


def test_checking(following, schema):
    machine = following.machine
    text = following.ok("upgrade", "--os=test", "--check")
    assert "  No update available.\n  to fetch: nothing\n" in text
    write(machine.etc(machine.loaded.deployments[0]) / "x", "mine\n")
    second = machine.commit(
        "2", repo=machine.vendor, edit=lambda tree: write(tree / "usr/etc/x/y", "theirs\n")
    )
    done = following.run("admin", "upgrade", "--os=test", "--check", "--json")
    assert done.status == 1
    found = done.json()
    schema(found, "admin-upgrade")
    assert (found["checksum"], found["is_new"]) == (second, True)
    assert found["obstacles"] == ["/etc/x: a file here, a directory in the new defaults"]
    assert versions(following) == ["1"]
    # That is what stops the upgrade itself, before its files come.
    assert "newly defaults to directory 'x'" in following.fails("upgrade", "--os=test")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pull-only", "--deploy-only"], "--pull-only and --deploy-only"),
        (["--pull-only", "-r"], "--pull-only and --reboot or --kexec"),
        (["--stage", "-k"], "--stage and --kexec"),
    ],
)
def test_options_that_exclude_each_other(admin, options, message):
    said = admin.fails("upgrade", *options, status=2)
    assert said == f"Cannot simultaneously specify {message}"


def test_restarts(following, monkeypatch):
    commands = []
    monkeypatch.setattr("ostrya.cli.system_restart.run", commands.append)
    machine = following.machine
    following.ok("upgrade", "--os=test", "--reboot")
    machine.commit("2", repo=machine.vendor)
    following.ok("upgrade", "--os=test", "--reboot")
    # Nothing runs there: it is an image in the making.
    assert commands == []
    following.start()
    machine.commit("3", repo=machine.vendor)
    following.ok("upgrade", "--reboot")
    assert commands == [["systemctl", "reboot"]]


def test_loading_the_kernel(following, monkeypatch):
    loaded = []
    monkeypatch.setattr(
        "ostrya.sysroot.kexec.load_for_kexec", lambda _sysroot, one: loaded.append(one.checksum)
    )
    second = following.machine.commit("2", repo=following.machine.vendor)
    following.ok("upgrade", "--os=test", "--kexec")
    assert loaded == [second]


def test_what_is_wrong(admin):
    assert "and no OS specified" in admin.fails("upgrade", status=50)
    assert admin.fails("upgrade", "--os=test") == "No previous deployment for OS 'test'"
    assert admin.run.fails("admin", "upgrade", "--os=test", "--override-commit=x")


def test_checking_where_what_goes_may_go_first(following, monkeypatch):
    monkeypatch.setattr("ostrya.sysroot.sysroot.Sysroot.has_own_boot", property(lambda _: True))
    machine = following.machine
    machine.commit("2", repo=machine.vendor)
    following.ok("upgrade", "--os=test")
    machine.commit("4", repo=machine.vendor, sizes=True)
    monkeypatch.setattr("ostrya.sysroot.preflight._room", lambda fd: _small_boot(machine, fd))
    words = ("upgrade", "--os=test", "--check")
    assert following.run("admin", *words).status == 1
    assert "once what goes is gone" in following.ok(*words, "--early-prune")
    assert following.run("admin", *words, "--early-prune", "--stage").status == 1
    # The same of one that is here.
    following.run.ok("pull", f"--repo={machine.sysroot.repo.path}", "vendor", "test/os")
    words = ("deploy", "--os=test", "--dry-run", "vendor:test/os")
    assert following.run("admin", *words).status == 1
    following.ok(*words, "--early-prune")
    assert following.run("admin", *words, "--early-prune", "--stage").status == 1


def _small_boot(machine, fd) -> int:
    is_boot = os.path.samestat(os.fstat(fd), os.stat(machine.root / "boot"))
    return MARGIN_BYTES if is_boot else 1 << 40
