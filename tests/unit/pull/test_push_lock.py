# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.pull.push_lock import LOCK_NAME, push_lock
from ostrya.repo.errors import RepoLocked


class Place:
    """Files that are nothing but a name and an age."""

    def __init__(self, **ages: float) -> None:
        self.ages = {name.replace("_", "-"): age for name, age in ages.items()}
        self.on_age = lambda _name: None

    def create_lock(self, name):
        if name in self.ages:
            return False
        self.ages[name] = 0.0
        return True

    def lock_age_s(self, name):
        self.on_age(name)
        return self.ages.get(name)

    def move_lock(self, name, new_name):
        if name not in self.ages or new_name in self.ages:
            return False
        self.ages[new_name] = self.ages.pop(name)
        return True

    def delete_lock(self, name):
        self.ages.pop(name, None)


def test_it_is_there_while_it_is_held():
    place = Place()
    with push_lock(place, "there", "me"):
        assert place.ages == {LOCK_NAME: 0.0}
    assert place.ages == {}


def test_it_goes_with_an_error():
    place = Place()
    with pytest.raises(KeyError), push_lock(place, "there", "me"):
        raise KeyError
    assert place.ages == {}


def test_one_that_is_held_is_waited_for_and_no_longer():
    place = Place()
    place.ages[LOCK_NAME] = 1.0
    with (
        pytest.raises(RepoLocked, match="there is locked by another push") as raised,
        push_lock(place, "there", "me", wait_s=0.02),
    ):
        pass
    assert "delete .push-lock there" in raised.value.hint
    assert place.ages == {LOCK_NAME: 1.0}


def test_one_that_goes_meanwhile():
    place = Place()
    place.ages[LOCK_NAME] = 1.0
    place.on_age = place.delete_lock
    with push_lock(place, "there", "me"):
        pass
    assert place.ages == {}


def test_a_stale_one_is_taken_away():
    place = Place()
    place.ages[LOCK_NAME] = 100.0
    with push_lock(place, "there", "me"):
        assert place.ages == {LOCK_NAME: 0.0}
    assert place.ages == {}


def test_a_fresh_one_in_the_place_of_a_stale_one_is_given_back():
    place = Place()
    place.ages[LOCK_NAME] = 100.0
    asked = []

    def somebody_is_faster(name: str) -> None:
        asked.append(name)
        if len(asked) == 2:
            # What was moved aside is another's new lock.
            place.ages[name] = 0.5
        if len(asked) == 4:
            place.delete_lock(LOCK_NAME)

    place.on_age = somebody_is_faster
    with push_lock(place, "there", "me"):
        pass
    assert asked[1] == f"{LOCK_NAME}-me"
    assert asked[2] == LOCK_NAME
    assert place.ages == {}
