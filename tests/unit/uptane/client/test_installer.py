# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.installer import Outcome, Stage, known_as, plain_words
from ostrya.uptane.client.installs import Install, State, Target


def test_words_can_be_kept_signed_and_shown():
    assert plain_words("a\nb\udcff") == "a b?"
    assert plain_words("e\u0301") == "\u00e9"
    assert len(plain_words("x" * 5000)) == 1000
    assert Outcome.failed("no\0").result.description == "no "
    assert Outcome.good().stage is Stage.DONE


def test_the_newest_name_of_an_image_counts():
    log = [
        Install(1, Target("e", "old", 0, {"sha256": "a"}, 3), State.EARLIER),
        Install(2, Target("e", "new", 0, {"sha256": "a", "sha512": "c"}, 4), State.FAILED),
        Install(3, Target("e", "other", 0, {"sha256": "b"}), State.CURRENT),
    ]
    found = known_as(log, {"sha256": "a"})
    assert (found.name, found.release_counter) == ("new", 4)
    assert known_as(log, {"sha256": "z"}) is None
    assert known_as(log, {"md5": "a"}) is None
