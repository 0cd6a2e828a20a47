# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest

from ostrya.pull.errors import PushLockLost
from ostrya.pull.push_lock import LOCK_NAME, push_lock
from ostrya.repo.errors import RepoLocked


class File:
    def __init__(self) -> None:
        self.refreshed = 0
        self.closed = False

    def refresh(self):
        self.refreshed += 1

    def close(self):
        self.closed = True


class Place:
    """Files that are nothing but a name and an age, and the word of who made them here."""

    def __init__(self) -> None:
        self.ages: dict[str, float] = {}
        self.words: dict[str, str] = {}
        self.on_age = lambda _name: None
        self.file = File()

    def create_lock(self, name, word):
        if name in self.ages:
            return None
        self.ages[name] = 0.0
        self.words[name] = word
        return self.file

    def read_lock(self, name):
        return self.words.get(name) if name in self.ages else None

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


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    monkeypatch.setattr("ostrya.pull.push_lock._LOOK_PAUSE_S", 0.001)


def test_it_stays_young():
    place = Place()
    with push_lock(place, "there", "me", stale_s=0.05):
        deadline = time.monotonic() + 10
        while place.file.refreshed < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert place.file.closed


def test_one_that_cannot_be_refreshed_may_still_be_ours():
    place = Place()

    def fail():
        raise OSError

    place.file.refresh = fail
    with push_lock(place, "there", "me", stale_s=0.01) as require_held:
        time.sleep(0.05)
        require_held()


@pytest.mark.parametrize("word", ["another", None])
def test_one_that_was_taken_away(word):
    place = Place()

    def hold():
        with push_lock(place, "there", "me") as require_held:
            require_held()
            if word is None:
                place.delete_lock(LOCK_NAME)
            else:
                place.words[LOCK_NAME] = word
            with pytest.raises(PushLockLost, match="taken the lock of there away"):
                require_held()

    with pytest.raises(PushLockLost, match="nothing was heard of this one for 20 seconds"):
        hold()
    assert (LOCK_NAME in place.ages) == (word is not None)
    assert place.file.closed


def test_one_that_was_taken_away_unasked():
    place = Place()
    with pytest.raises(PushLockLost), push_lock(place, "there", "me"):
        place.words[LOCK_NAME] = "another"
    assert place.ages == {LOCK_NAME: 0.0}


def test_one_that_is_looked_at_meanwhile():
    place = Place()
    with push_lock(place, "there", "me") as require_held:
        reads = []

        def read(name):
            reads.append(name)
            return "me" if len(reads) > 2 else None

        place.read_lock = read
        require_held()
        assert len(reads) == 3
