# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.installs import Install, State, Target
from ostrya.uptane.client.work import kept_targets, plan_work, runs, target_of
from ostrya.uptane.full_verification import Agreed, Installed, Verified
from ostrya.uptane.metadata.targets import Image

SAID = Image(5, {})
ONE = Agreed("one", 5, {"sha256": "aa"}, {"p": "b", "q": "b"}, 7, False, "", SAID, SAID)
TWO = ONE._replace(name="two", hashes={"sha256": "bb"}, ecus={"s": "c"})
VERIFIED = Verified(None, None, (ONE, TWO), "urn:1")  # type: ignore[arg-type]


def serials(jobs):
    return [(one.target.serial, one.target.name) for one in jobs]


def test_what_runs_already_is_left_out():
    work = plan_work(VERIFIED, {"p": Installed("one", {"sha256": "AA"})}, {}, 3)
    assert serials(work.jobs) == [("q", "one"), ("s", "two")]
    assert work.jobs[0].target == Target("q", "one", 5, {"sha256": "aa"}, 7, "urn:1")


def test_an_update_that_one_ecu_gave_up_is_not_begun_on_the_others():
    failed = Install(1, target_of(TWO, "s", "urn:1"), State.FAILED)
    work = plan_work(VERIFIED, {}, {"s": [failed, failed]}, 2)
    assert work.jobs == ()
    assert serials(work.given_up) == [("s", "two"), ("p", "one"), ("q", "one")]
    assert len(plan_work(VERIFIED, {}, {"s": [failed]}, 2).jobs) == 3


def test_the_same_name_with_other_bytes_is_another_image():
    assert not runs(Installed("one", {"sha256": "bb"}), ONE)
    assert not runs(Installed("one", {"sha512": "aa"}), ONE)
    assert not runs(Installed("two", {"sha256": "aa"}), ONE)
    assert not runs(None, ONE)


def test_the_last_good_images_and_those_on_their_way_are_kept():
    def at(number, state):
        return Install(number, Target("p", str(number), 1, {"sha256": str(number)}), state)

    log = [at(1, State.EARLIER), at(2, State.EARLIER), at(3, State.FAILED), at(4, State.CURRENT)]
    log.append(at(5, State.STARTED))
    assert [one.name for one in kept_targets({"p": log}, 2)] == ["2", "4", "5"]
    assert [one.name for one in kept_targets({"p": log}, 0)] == ["5"]
