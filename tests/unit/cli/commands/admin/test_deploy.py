# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.reader import has_object
from support.machines import write


@pytest.fixture
def deployed(admin):
    admin.machine.commit("1")
    admin.ok("deploy", "--os=test", "--karg=root=LABEL=root", "--karg=quiet", "test/os")
    return admin


def kargs(admin, at=0) -> str:
    return str(admin.machine.loaded.deployments[at].kargs)


def test_the_first_one(deployed):
    (only,) = deployed.machine.loaded.deployments
    assert kargs(deployed) == "root=LABEL=root quiet"
    assert only.origin.refspec == "test/os"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "root=LABEL=root quiet"),
        (["--karg=quiet=no"], "root=LABEL=root quiet=no"),
        (["--karg-append=quiet"], "root=LABEL=root quiet quiet"),
        (["--karg-delete=quiet", "--karg-delete=none"], "root=LABEL=root"),
        (["--karg-none"], ""),
        (["--karg-none", "--karg=x"], "x"),
        (["--no-merge"], "None"),
        (["--no-merge", "--karg=x"], "x"),
    ],
)
def test_kernel_arguments(deployed, options, expected):
    deployed.machine.commit("2")
    deployed.ok("deploy", "--stateroot=test", *options, "test/os")
    assert kargs(deployed) == expected or (expected == "None" and kargs(deployed) == "")


def test_the_running_kernels_arguments(deployed):
    deployed.ok("deploy", "--os=test", "--karg-proc-cmdline", "test/os")
    assert "BOOT_IMAGE=" not in kargs(deployed)
    assert kargs(deployed) != "root=LABEL=root quiet"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("--karg-proc-cmdline", "--karg-none"),
        ("--karg-none", "--karg-delete=x"),
        ("--no-merge", "--karg-delete=x"),
    ],
)
def test_options_that_exclude_each_other(deployed, one, other):
    said = deployed.fails("deploy", "--os=test", one, other, "test/os", status=2)
    assert said == f"Can't specify both {one} and {other.partition('=')[0]}"


def test_which_stay_and_in_which_order(deployed):
    for version in "23":
        deployed.machine.commit(version)
        deployed.ok("deploy", "--os=test", "--retain", "test/os")
    assert len(deployed.machine.loaded.deployments) == 3
    newest = deployed.machine.loaded.deployments[0]
    deployed.machine.commit("1")
    deployed.ok("deploy", "--os=test", "--not-as-default", "test/os")
    assert deployed.machine.loaded.deployments[0].is_same(newest)


def test_objects_that_stay(deployed):
    repo = deployed.machine.sysroot.repo
    lost = deployed.machine.commit("2", ref=None)
    name = ObjectName(lost, ObjectType.COMMIT)
    deployed.ok("deploy", "--os=test", "--no-prune", "test/os")
    assert has_object(repo, name)
    deployed.ok("deploy", "--os=test", "test/os")
    assert not has_object(repo, name)


def test_an_origin_of_its_own(deployed, tmp_path):
    write(tmp_path / "origin", "[origin]\nrefspec=vendor:os\n")
    deployed.ok("deploy", "--os=test", f"--origin-file={tmp_path}/origin", "test/os")
    assert deployed.machine.loaded.deployments[0].origin.refspec == "vendor:os"


def test_which_system(deployed):
    deployed.start()
    deployed.machine.commit("2")
    deployed.ok("deploy", "test/os")
    assert len(deployed.machine.loaded.deployments) == 2


def test_what_is_wrong(admin):
    assert admin.fails("deploy", status=2) == "REF/REV must be specified"
    admin.machine.commit("1")
    assert "no --os= argument given" in admin.fails("deploy", "test/os", status=50)
    assert "No such stateroot: none" in admin.fails("deploy", "--os=none", "test/os")
    assert "'none'" in admin.fails("deploy", "--os=test", "none")


def test_what_would_happen(deployed, schema):
    machine = deployed.machine
    before = [one.name for one in machine.loaded.deployments]
    machine.commit("2")
    found = deployed.json("deploy", "--os=test", "--dry-run", "--karg=x", "test/os")
    schema(found, "admin-deploy")
    assert found["kargs_added"] == ["x"]
    assert found["obstacles"] == []
    assert [one.name for one in machine.loaded.deployments] == before
    text = deployed.ok("deploy", "--os=test", "--dry-run", "test/os")
    assert ", version 2\n  to fetch: nothing\n" in text
    write(machine.etc(machine.loaded.deployments[0]) / "x", "mine\n")
    machine.commit("3", edit=lambda tree: write(tree / "usr/etc/x/y", "theirs\n"))
    done = deployed.run("admin", "deploy", "--os=test", "--dry-run", "test/os")
    assert done.status == 1
    assert "in the way: /etc/x: a file here, a directory" in done.out


def test_dry_run_of_what_can_be_no_deployment(admin, schema):
    checksum = admin.machine.commit("1", edit=lambda tree: shutil.rmtree(tree / "usr/lib/modules"))
    done = admin.run("admin", "deploy", "--os=test", "--dry-run", "--json", checksum)
    assert done.status == 1
    schema(done.json(), "admin-deploy")
    assert done.json()["obstacles"][0].startswith("there is no kernel in /usr/lib/modules")
    for dry in ([], ["--dry-run"]):
        said = admin.fails("deploy", "--os=nope", *dry, checksum)
        assert said.startswith("No such stateroot: nope")


def test_json_alone_on_standard_output(deployed, schema):
    deployed.machine.commit("2")
    done = deployed.run.ok("admin", "deploy", "--os=test", "--json", "test/os")
    schema(done.json(), "admin-deploy")
    assert done.json()["stateroot"] == "test"
    assert "bootconfig swap: yes" in done.err


@pytest.mark.parametrize("word", ["a=b\nc", 'a="b'])
@pytest.mark.parametrize("how", ["--karg", "--karg-append"])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_arguments_that_no_boot_entry_holds(admin, word, how, dry):
    admin.machine.commit("1")
    before = sorted(admin.machine.root.rglob("*"))
    assert admin.fails("deploy", "--os=test", f"{how}={word}", *dry, "test/os").startswith(
        "Kernel argument "
    )
    assert sorted(admin.machine.root.rglob("*")) == before
