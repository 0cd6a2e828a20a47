# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client.consent import Answer, Consent
from ostrya.uptane.client.primary import End, Mode
from ostrya.uptane.client.state import Area, load_troubles
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import ServerUnreachable
from support.ota_world import SERIAL, make_device, offer
from support.uptane_world import LATER, NOW

APPLIED = ["EcuDownloadStarted", "EcuDownloadCompleted", "EcuInstallationStarted"]


def trouble(device):
    with open_storage(device.database) as storage:
        return load_troubles(storage).get(Area.UPDATES)


def test_one_cycle_installs_and_reports(tmp_path):
    device = make_device(tmp_path)
    found = device.cycle()
    assert found.end is End.INSTALLED
    server = device.server
    assert server.results() == [(SERIAL, "OK")]
    assert server.kinds() == [*APPLIED, "EcuInstallationCompleted"]
    assert server.manifests[0].reports[SERIAL].image == "unknown"
    report = server.manifests[-1].reports[SERIAL]
    assert (report.image, report.length) == ("firmware", 4500)
    body = server.manifests[-1].installation_report["report"]
    assert body["correlation_id"] == "urn:update:1"
    assert body["result"] == {"success": True, "code": "board:OK", "description": ""}
    assert device.state()["results"] == {}
    assert trouble(device) is None


def test_the_requests_come_in_aktualizrs_order(tmp_path):
    device = make_device(tmp_path)
    device.cycle()
    asked = device.server.asked
    assert asked[0] == "manifest"
    assert asked[1:3] == ["director/2.root.json", "director/timestamp.json"]
    assert asked.index("image/2.root.json") > asked.index("director/targets.json")
    assert asked.index("image firmware 0") > asked.index("image/targets.json")
    assert asked[-2:] == ["manifest", "events"]


def test_nothing_new_asks_no_image_repository_and_writes_nothing(tmp_path):
    device = make_device(tmp_path)
    device.cycle()
    device.server.asked.clear()
    assert device.cycle().end is End.UP_TO_DATE
    assert not [one for one in device.server.asked if one.startswith("image")]
    with device.primary() as primary:
        primary.cycle(Mode.FULL)
        before = device.state()
        primary.cycle(Mode.FULL)
    assert device.state() == before


def test_a_restart_is_waited_for_and_nothing_is_asked_meanwhile(tmp_path):
    device = make_device(tmp_path, fake_need_reboot=True)
    assert device.cycle().end is End.RESTART
    assert device.server.results() == []
    offer(device, "newer", b"newer", "urn:update:2")
    device.server.asked.clear()
    assert device.cycle().end is End.RESTART
    assert device.server.asked == []
    device.restart()
    assert device.cycle().end is End.RESTART
    assert device.server.results() == [(SERIAL, "OK")]
    report = next(one for one in device.server.manifests if one.installation_report)
    assert report.installation_report["report"]["correlation_id"] == "urn:update:1"
    assert [one.target.name for one in device.state()["log"]] == ["firmware", "newer"]


def test_check_installs_and_downloads_nothing(tmp_path):
    device = make_device(tmp_path)
    found = device.cycle(Mode.CHECK)
    assert (found.end, [job.target.name for job in found.jobs]) == (End.AVAILABLE, ["firmware"])
    assert not [one for one in device.server.asked if one.startswith("image ")]
    assert device.state()["log"] == ()


def test_download_then_install(tmp_path):
    device = make_device(tmp_path)
    refused = device.cycle(Mode.INSTALL)
    assert refused.end is End.FAILED
    assert "is not downloaded" in refused.words
    assert device.cycle(Mode.DOWNLOAD).end is End.DOWNLOADED
    assert device.state()["log"] == ()
    device.server.contents.clear()
    assert device.cycle(Mode.INSTALL).end is End.INSTALLED


def test_a_server_that_is_silent_is_a_trouble_once_told(tmp_path):
    device = make_device(tmp_path)

    def silent(when, what):
        if what == "image/timestamp.json":
            raise ServerUnreachable("https://gateway", "no answer")

    device.server.hook = silent
    for _ in range(3):
        assert isinstance(device.cycle().error, ServerUnreachable)
    assert trouble(device).times == 3
    device.server.hook = lambda _when, _what: None
    assert device.cycle().end is End.INSTALLED
    assert device.server.kinds()[0] == "UpdateFailed"
    assert device.server.kinds().count("UpdateFailed") == 1


def test_what_is_refused_is_kept_told_and_noted_as_an_attack(tmp_path):
    device = make_device(tmp_path)
    device.server.world.image.expires["timestamp"] = NOW - timedelta(seconds=1)
    device.server.world.image.publish()
    before = device.state()["trusted"]
    found = device.cycle()
    assert found.end is End.FAILED
    after = device.state()
    assert after["log"] == ()
    assert after["trusted"] == before
    assert trouble(device).condition.value == "metadata-expired"
    last = device.server.manifests[-1].reports[SERIAL]
    assert last.attacks == "freeze"
    (event,) = device.server.events.values()
    assert event["eventType"]["id"] == "UpdateRefused"
    assert "expired on 2026-11-30" in event["event"]["description"]
    device.server.world.image.expires["timestamp"] = NOW + LATER
    device.server.world.image.publish()
    assert device.cycle().end is End.INSTALLED
    assert device.server.manifests[-1].reports[SERIAL].attacks == ""


@pytest.mark.parametrize(
    "content", [b"firmwarX " * 500, b"short", b"firmware " * 501], ids=["other", "short", "long"]
)
def test_an_image_that_is_another_is_given_up(tmp_path, content):
    device = make_device(tmp_path)
    device.server.contents["firmware"] = content
    for _ in range(3):
        assert device.cycle().end is End.FAILED
    assert device.cycle().end is End.GIVEN_UP
    images = [one for one in device.server.asked if one.startswith("image ")]
    assert len(images) == 3
    assert device.server.results() == [(SERIAL, "VERIFICATION_FAILED")] * 3
    assert list((tmp_path / "images").iterdir()) == []
    # As another update it is tried again.
    offer(device, "firmware", b"firmware " * 500, "urn:update:2")
    assert device.cycle().end is End.INSTALLED


def test_consent(tmp_path):
    device = make_device(tmp_path, needs_consent=True)
    found = device.cycle()
    assert found.end is End.CONSENT
    with open_storage(device.database) as storage:
        Consent(storage, required=True).give(found.update, Answer.POSTPONE, NOW, 60)
    assert device.cycle().words == "somebody wants to be asked later"
    device.clock = lambda: NOW + timedelta(seconds=61)
    assert device.cycle().words == ""
    with open_storage(device.database) as storage:
        Consent(storage, required=True).give(found.update, Answer.ACCEPT, NOW)
    assert device.cycle().end is End.INSTALLED


def test_what_was_declined_is_left_alone_even_if_nobody_is_asked(tmp_path):
    device = make_device(tmp_path)
    update = device.cycle(Mode.CHECK).update
    with open_storage(device.database) as storage:
        Consent(storage, required=False).give(update, Answer.DECLINE, NOW)
    assert device.cycle().end is End.DECLINED
    offer(device, "newer", b"newer", "urn:update:2")
    assert device.cycle().end is End.INSTALLED


def test_what_is_not_wanted_any_more_is_not_installed(tmp_path):
    device = make_device(tmp_path)

    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    with device.primary() as primary:
        primary._parts.installer.install = kill
        with pytest.raises(Killed):
            primary.cycle(Mode.ONCE)
    (image,) = (tmp_path / "images").iterdir()
    image.unlink()
    device.server.world.director.images = {}
    device.server.world.director.publish()
    assert device.cycle().end is End.UP_TO_DATE
    assert device.server.results() == [(SERIAL, "OPERATION_CANCELLED")]


def test_polls_of_a_device_that_is_up_to_date_write_next_to_nothing(tmp_path):
    """Flash wears out: all that a poll has to write is the counter of its report."""
    device = make_device(tmp_path)
    device.cycle()
    with device.primary() as primary:
        primary.cycle(Mode.FULL)
        storage, count = primary._parts.storage, []
        real = storage.transaction
        storage.transaction = lambda: count.append(1) or real()
        for _ in range(5):
            assert primary.cycle(Mode.FULL).end is End.UP_TO_DATE
    assert len(count) == 5


def test_the_same_refusal_at_another_time_is_no_news(tmp_path):
    """What has expired says what time it is; a server is told once, however often it is polled."""
    device = make_device(tmp_path)
    device.server.world.image.expires["timestamp"] = NOW - timedelta(seconds=1)
    device.server.world.image.publish()
    for minute in range(5):
        device.clock = lambda minute=minute: NOW + timedelta(minutes=minute)
        assert device.cycle().end is End.FAILED
    assert device.server.kinds() == ["UpdateRefused"]
