# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.commands.admin import instutil_selinux_ensure_labeled as verb
from support.policies import write_policy

VERB = ("instutil", "selinux-ensure-labeled")


def test_no_policy(admin):
    assert admin.fails(*VERB) == "Unable to find a deployment in sysroot"
    deployment = admin.machine.deploy(admin.machine.commit("1"))
    said = admin.ok(*VERB)
    assert said == (
        f"No SELinux policy found in deployment '{admin.machine.root}/{deployment.path}'\n"
    )


@pytest.fixture
def labelled(admin, monkeypatch):
    """Where labels were asked for; most kernels take none here."""
    found = []

    def label_tree(_fd, path, policy, *, keep, on_label):
        assert keep
        assert policy.name == "test"
        found.append(path)
        on_label(path or "/", "one")
        on_label(f"{path}/bin", "two")

    (admin.machine.root / "ostree/deploy/test/var/.ostree-selabeled").touch()
    monkeypatch.setattr(verb, "label_tree", label_tree)
    return found


def test_a_deployment(admin, labelled):
    deployment = admin.machine.deploy(admin.machine.commit("1", edit=write_policy))
    root = f"{admin.machine.root}/{deployment.path}"
    assert admin.ok(*VERB).splitlines() == [
        "Relabeling using policy 'test'",
        f"Set label of '{root}' (as '/') to 'one'",
        f"Set label of '{root}/bin' (as '/bin') to 'two'",
    ]
    assert labelled == [""]


def test_a_part(admin, labelled, tmp_path):
    admin.machine.deploy(admin.machine.commit("1", edit=write_policy))
    (tmp_path / "part").mkdir()
    said = admin.ok(*VERB, tmp_path / "part", "var/lib")
    assert f"Set label of '{tmp_path}/part/bin' (as '/var/lib/bin') to 'two'\n" in said
    assert labelled == ["/var/lib"]
    assert admin.fails(*VERB, tmp_path, status=2) == "PREFIX must be specified with SUBPATH"
