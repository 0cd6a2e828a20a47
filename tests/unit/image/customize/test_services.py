# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.services import ETC, set_up_services
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Services
from support.image_world import Member

LIBRARY = "/usr/lib/systemd/system"


def test_what_install_says_becomes_links(places, said):
    set_up_services(places, Services(("ssh.service", "getty@.service")), said.append)
    wants = f"{ETC}/multi-user.target.wants/ssh.service"
    assert places.link_target(wants) == f"{LIBRARY}/ssh.service"
    assert places.link_target(f"{ETC}/sshd.service") == f"{LIBRARY}/ssh.service"
    getty = f"{ETC}/getty.target.wants/getty@tty1.service"
    assert places.link_target(getty) == f"{LIBRARY}/getty@.service"
    set_up_services(places, Services(disable=("ssh.service",)), said.append)
    assert not places.exists(wants)
    assert not places.exists(f"{ETC}/sshd.service")


def test_what_else_is_wanted_is_enabled_too(places, said):
    set_up_services(places, Services(("systemd-networkd.service",)), said.append)
    assert places.exists(f"{ETC}/sockets.target.wants/systemd-networkd.socket")


def test_masking_takes_links_away_and_enabling_the_mask(places, said):
    set_up_services(places, Services(mask=("apt-daily.timer",)), said.append)
    assert places.link_target(f"{ETC}/apt-daily.timer") == "/dev/null"
    assert not places.exists(f"{ETC}/timers.target.wants/apt-daily.timer")
    set_up_services(places, Services(("apt-daily.timer",)), said.append)
    assert not places.exists(f"{ETC}/apt-daily.timer")
    assert places.exists(f"{ETC}/timers.target.wants/apt-daily.timer")


@pytest.mark.parametrize(
    ("services", "words"),
    [
        (Services(("no.service", "ssh.service", "not.timer")), "the tree has no no.service, not"),
        (Services(("static.service",)), "static.service cannot be enabled, since nothing says"),
    ],
)
def test_what_cannot_be_enabled(places, said, services, words):
    with pytest.raises(SourceError, match=words):
        set_up_services(places, services, said.append)


def test_a_file_is_not_replaced_by_a_mask(tree, said):
    places = tree(**{
        "etc__systemd__system__own.service": Member(b"[Service]\n"),
    })  # fmt: skip
    with pytest.raises(SourceError, match=r"own\.service is a file of its own"):
        set_up_services(places, Services(mask=("own.service",)), said.append)
