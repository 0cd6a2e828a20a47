# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.located import parse_located
from ostrya.image.recipe.read import read_recipe

PEM = "-----BEGIN CERTIFICATE----- A -----END CERTIFICATE-----"
OWN = f"[ota]\nca_file='a'\nserver='https://x'\ncertificate='{PEM}'\nkey_file='k'\n"
SOURCE = '[source]\npath = "rootfs"\n'


def data(extra, name="data"):
    return f"[[partitions]]\nname = '{name}'\nsize = '1G'\n{extra}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "r:1: source.path is missing"),
        ("[source]\nkind = 'debian'", "r:1: source.suite is missing"),
        (
            SOURCE + "packages = ['x']",
            'r:3: source.packages says nothing of kind = "auto": it is for debian',
        ),
        (
            "[source]\nkind = 'directory'\npath = 'x'\nref = 'y'",
            'r:4: source.ref says nothing of kind = "directory": it is for oci, docker-archive, ostree',
        ),
        ("[source]\nkind = 'debian'\nsuite = 's'\npath = 'x'", "r:4: source.path says nothing"),
        (SOURCE + "[network]\nwifi_interface = 'w'", "r:4: network.wifi_interface says nothing"),
        (SOURCE + "[splash]\nbackground = '#000000'", "r:4: splash.background says nothing"),
        (SOURCE + "[device_tree]\noverlays = ['x']", "r:4: device_tree.overlays are applied to"),
        (SOURCE + "[provisioning]\ndefaults = 'x'", "r:4: provisioning.defaults say nothing"),
        (SOURCE + data("filesystem='swap'\nmountpoint='/d'"), "has no file system to mount"),
        (SOURCE + data("filesystem='swap'\ncontents='d'"), "and has no contents"),
        (SOURCE + "kind = 'ostree'", "r:1: source.ref is missing"),
        (SOURCE + "[[files]]\npath = '/x'", "r:3: files: /x has to have one of text, source"),
        (SOURCE + "[[files]]\npath = '/x'\ntext = ''\nlink = 'y'", "has to have one of"),
        (
            SOURCE + "[[users]]\nname = 'a'\nuid = 5\n[[users]]\nname = 'b'\nuid = 5",
            "r:8: users.uid 5 is given twice, at r:5 too",
        ),
        (SOURCE + data("", "root"), "r:3: partitions: the board has a partition root"),
        (SOURCE + data("filesystem='none'\nmountpoint='/d'"), "has no file system to mount"),
        (SOURCE + data("mountpoint='/var/'"), "/var/ is taken by the system"),
        (SOURCE + data("").replace("1G", "5K"), "data is smaller than a megabyte"),
        (
            SOURCE + data("mountpoint='/d'") + "\n" + data("mountpoint='/d'", "e"),
            "data is mounted at /d too",
        ),
        (
            SOURCE + "[disk]\ngrow = 'yes'\n" + data("place='after'\nfilesystem='vfat'"),
            "can only grow as a mounted ext4",
        ),
        (SOURCE + "[[network.interfaces]]\ndhcp = true", "it has to have one of name and mac"),
        (SOURCE + "[[network.interfaces]]\nname='e'\ndhcp=false", "neither dhcp nor addresses"),
        (SOURCE + "[[network.interfaces]]\nname='e'\ngateway='192.0.2.1'", "needs addresses"),
        (
            SOURCE + "[[remotes]]\nname='v'\nurl='https://x/r'\nverify='ed25519'",
            "v has no keys to verify",
        ),
        (SOURCE + "[update]\nautomatic='check'", "update.automatic needs [[remotes]]"),
        (SOURCE + "[update.settings]\nplain = 1", "'plain' is no setting"),
        (
            SOURCE + f"[ota]\nserver='https://x'\nca='{PEM}'\nca_file='y'",
            "r:5: ota.ca and ota.ca_file say the same",
        ),
        (SOURCE + "[ota]\nserver='https://x'\nkey_file='y'", "r:3: ota.certificate and ota.key"),
        (SOURCE + OWN + "credentials='c'", "r:8: ota.credentials are for devices without"),
        (SOURCE + OWN.replace("server='https://x'\n", ""), "r:3: ota.server is missing"),
        (SOURCE + OWN.replace("ca_file='a'\n", ""), "r:3: ota.ca is missing"),
    ],
)
def test_what_cannot_be_together(text, said):
    with pytest.raises(RecipeError) as caught:
        read_recipe(parse_located(text, "r"), lambda _file, name: name)
    (problem,) = caught.value.problems
    assert said in problem


def test_policies_of_conversion():
    text = SOURCE + "[convert.var]\n'/var/x' = 'keep'\n'y' = 'seed'\n[convert.links]\n'/opt' = 1\n"
    with pytest.raises(RecipeError) as caught:
        read_recipe(parse_located(text, "r"), lambda _file, name: name)
    assert caught.value.problems == (
        "r:4: convert.var: 'keep' is not one of seed, factory, drop, fail",
        "r:5: convert.var: 'y' is no path of the tree",
        "r:7: convert.links: 1 is not one of auto, link, keep",
    )
