# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.system import set_up_system
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import System
from support.image_world import Member


def test_names_zones_and_languages(tree, said):
    places = tree(etc__default__keyboard=Member(b'XKBMODEL="pc105"\nXKBLAYOUT="us"\n'))
    system = System("box.example.com", "Europe/Berlin", "de_DE.UTF-8", "de-latin1")
    set_up_system(places, system, said.append)
    assert places.read_text("/etc/hostname") == "box.example.com\n"
    assert places.read_text("/etc/hosts") == (
        "127.0.0.1\tlocalhost\n127.0.1.1\tbox.example.com box\n"
    )
    assert places.link_target("/etc/localtime") == "../usr/share/zoneinfo/Europe/Berlin"
    assert places.read_text("/etc/timezone") == "Europe/Berlin\n"
    assert places.read_text("/etc/default/locale") == "LANG=de_DE.UTF-8\n"
    assert places.read_text("/etc/locale.conf") == "LANG=de_DE.UTF-8\n"
    assert places.read_text("/etc/vconsole.conf") == "KEYMAP=de-latin1\n"
    assert 'XKBLAYOUT="de"\n' in places.read_text("/etc/default/keyboard")
    assert len(said) == 4


def test_what_is_removed(places, said):
    set_up_system(places, System(remove=("/etc/skel",)), said.append)
    assert not places.exists("/etc/skel")


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (System(timezone="Mars/North"), "the tree has no /usr/share/zoneinfo/Mars/North"),
        (System(locale="fr_FR.UTF-8"), "the tree has no locale fr_FR.UTF-8"),
        (System(remove=("/nowhere",)), "there is no /nowhere in the tree"),
    ],
)
def test_what_the_tree_has_not(places, said, system, words):
    with pytest.raises(SourceError, match=words):
        set_up_system(places, system, said.append)


def test_locales_in_an_archive(tree, said):
    places = tree(**{"usr__lib__locale__locale-archive": Member(b"\0fr_FR.utf8\0")})
    set_up_system(places, System(locale="fr_FR.UTF-8"), said.append)
    assert said == ["locale fr_FR.UTF-8"]
