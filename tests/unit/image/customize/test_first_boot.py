# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.first_boot import GROW, PROVISION, SSH_KEYS, set_up_first_boot
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import PartitionWant, Provisioning, Recipe
from support.image_world import Member

UNITS = "/usr/lib/systemd/system"


def test_file_systems_are_mounted(places, said):
    partitions = (
        PartitionWant("data", 1 << 20, label="data", mountpoint="/data", options=("noatime",)),
        PartitionWant("logs", 1 << 20, "vfat", "logs", "/var/logs"),
        PartitionWant("raw", 1 << 20, "none"),
        PartitionWant("swap", 1 << 20, "swap", "swapped", options=("pri=5",)),
    )
    set_up_first_boot(places, Recipe("r", partitions=partitions), said.append)
    assert places.read_text("/etc/fstab").endswith(
        "LABEL=data /data ext4 noatime,nofail 0 2\nLABEL=logs /var/logs vfat defaults,nofail 0 0\n"
        "LABEL=swapped none swap pri=5,nofail 0 0\n"
    )
    assert places.is_dir("/data")
    assert not places.is_dir("/var/logs")


def test_units_for_the_first_start(places, said):
    wanted = Recipe("r", grow=True, provisioning=Provisioning(enable=True))
    set_up_first_boot(places, wanted, said.append)
    assert places.read_text(f"{UNITS}/{GROW}").endswith(" /var\n")
    assert places.exists(f"{UNITS}/multi-user.target.wants/{GROW}")
    assert places.exists(f"{UNITS}/sysinit.target.wants/{PROVISION}")


def test_what_lies_behind_the_root_grows_instead(places, said):
    data = PartitionWant("data", 1 << 20, mountpoint="/data", after_root=True)
    set_up_first_boot(places, Recipe("r", grow=True, partitions=(data,)), said.append)
    assert places.read_text(f"{UNITS}/{GROW}").endswith(" /data\n")


def test_without_the_program_it_cannot_be(places, said):
    places.remove("/usr/bin/ostrya")
    with pytest.raises(SourceError, match="the tree has no /usr/bin/ostrya"):
        set_up_first_boot(places, Recipe("r", grow=True), said.append)


def test_a_device_draws_its_own_keys_for_ssh(tree, places, said):
    set_up_first_boot(places, Recipe("r"), said.append)
    assert said == []
    with_ssh = {
        "usr__sbin__sshd": Member(b"", 0o755), "usr__bin__ssh-keygen": Member(b"", 0o755),
    }  # fmt: skip
    places = tree(**with_ssh)
    set_up_first_boot(places, Recipe("r"), said.append)
    assert "ExecStart=/usr/bin/ssh-keygen -A\n" in places.read_text(f"{UNITS}/{SSH_KEYS}")
    assert places.exists(f"{UNITS}/multi-user.target.wants/{SSH_KEYS}")
    others = tree(**with_ssh, **{"usr__lib__systemd__system__sshd-keygen.target": Member()})
    set_up_first_boot(others, Recipe("r"), said.append)
    assert not others.exists(f"{UNITS}/{SSH_KEYS}")
