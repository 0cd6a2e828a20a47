# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.full_verification import Installed
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import Repository
from support.uptane_world import NOW, Client, assigned, image, make_world, targets_only

FOUR = ["timestamp.json", "snapshot.json", "targets.json"]


@pytest.mark.parametrize("dialect", list(Dialect), ids=lambda d: d.value)
@pytest.mark.parametrize("consistent", [False, True], ids=["plain", "by versions"])
def test_an_update(dialect, consistent):
    client = Client(make_world(dialect, consistent=consistent))
    gave = client.cycle()
    (one,) = gave.agreed
    assert (one.name, one.length, one.release_counter, one.is_ostree) == ("firmware", 7, 4, False)
    assert one.ecus == {"ecu-1": "board"}
    assert gave.correlation_id == "urn:update:1"
    assert set(client.kept[Repository.IMAGE]) == {"root", "timestamp", "snapshot", "targets"}


def test_the_order_of_requests():
    client = Client(make_world())
    client.cycle()
    assert client.asked == [
        (which, file) for which in Repository for file in ["2.root.json", *FOUR]
    ]


def test_a_director_for_aktualizr():
    world = make_world()
    world.vehicle = targets_only(world.vehicle)
    for name in ("timestamp.json", "snapshot.json"):
        del world.director.files[name]
    client = Client(world)
    assert [one.name for one in client.cycle().agreed] == ["firmware"]
    assert client.asked[:2] == [
        (Repository.DIRECTOR, "2.root.json"),
        (Repository.DIRECTOR, "targets.json"),
    ]


def test_an_attempt_that_ended_between_the_repositories_is_taken_up_again():
    world = make_world()
    client = Client(world)
    targets = world.image.files.pop("targets.json")
    with pytest.raises(Exception, match=r"no targets\.json"):
        client.cycle()
    world.image.files["targets.json"] = targets
    assert [one.name for one in client.cycle().agreed] == ["firmware"]
    # And until it is installed, also when the Director says nothing new.
    assert [one.name for one in client.cycle().agreed] == ["firmware"]


def test_what_runs_already_is_no_update():
    world = make_world()
    runs = Installed("firmware", {"sha256": image().hashes["sha256"].upper()}, 4)
    world.vehicle = world.vehicle._replace(installed={"ecu-1": runs})
    client = Client(world)
    assert client.cycle().agreed == ()
    other = runs._replace(hashes={"md5": "x"})
    world.vehicle = world.vehicle._replace(installed={"ecu-1": other})
    assert client.cycle().agreed


def test_all_images_have_to_be_agreed_on():
    world = make_world()
    world.director.images["for the sensor"] = assigned(image(b"sensor"), "ecu-2", "sensor")
    world.director.publish()
    with pytest.raises(Exception, match="no image for the sensor"):
        Client(world).cycle()


def test_digests_of_both_and_the_directors_address():
    world = make_world()
    content = image(releaseCounter=4, uri="https://images/a")
    both = {**content.hashes, "sha512": "a" * 128}
    world.image.images["firmware"] = content._replace(hashes=both)
    world.director.images = {"firmware": assigned(content)}
    world.publish()
    (one,) = Client(world).cycle().agreed
    assert one.hashes == both
    assert one.uri == "https://images/a"
    world.director.images = {"firmware": assigned(content, uri="https://director/a")}
    world.publish()
    assert Client(world).cycle().agreed[0].uri == "https://director/a"


def test_nothing_to_do():
    world = make_world()
    world.director.images = {}
    world.director.publish()
    client = Client(world)
    assert client.cycle(NOW).agreed == ()
    assert client.kept[Repository.DIRECTOR]["targets"]
