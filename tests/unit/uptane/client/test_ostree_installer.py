# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya.boot.trial import End
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.errors import FetchError
from ostrya.formats.delta_name import DeltaName
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.delta_indexes import reindex_deltas
from ostrya.repo.refs import resolve_ref
from ostrya.sysroot import preflight
from ostrya.sysroot.verdict import Verdict, mark_bad, mark_good
from ostrya.uptane.client import ostree_installer
from ostrya.uptane.client.config import Booted
from ostrya.uptane.client.errors import ImageUnsuitable, NoRoom, UpdateCancelled
from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.installs import Install, State, Target
from ostrya.uptane.client.watch import NO_WATCH
from support.ota_sysroot import Hub, SysrootDevice, agreed
from support.remote_repos import BASE, FolderFetcher
from support.trial_world import NOW, running, settled


@pytest.fixture
def device(tmp_path):
    device = SysrootDevice(tmp_path)
    yield device
    device.close()


def target(checksum, name="os-2"):
    return Target("ecu-1", name, 0, {"sha256": checksum}, 4, "urn:1")


def put(device, version="2", booted=Booted.BOOTED):
    """Download and install a release."""
    checksum = device.releases.make(version)
    installer = device.installer(booted)
    installer.download(agreed(f"os-{version}", checksum), Hub(device.releases.url), NO_WATCH)
    return checksum, installer, installer.install(target(checksum), NO_WATCH)


def test_what_runs(device):
    installer = device.installer()
    found = installer.running(())
    assert (found.name, found.hashes) == ("unknown", {"sha256": device.first})
    log = [Install(1, target(device.first, "os-1"), State.CURRENT)]
    assert installer.running(log).name == "os-1"
    assert installer.running(log).release_counter == 4


def test_files_are_refused(device):
    image = agreed("x", "ab")._replace(is_ostree=False)
    with pytest.raises(ImageUnsuitable, match="no OSTree commit"):
        device.installer().refuse(image)
    with pytest.raises(ImageUnsuitable):
        device.installer().refuse(agreed("x", "ab"))


def test_an_update_is_good_once_its_start_was_found_good(device):
    checksum, installer, outcome = put(device)
    assert outcome.stage is Stage.APPLIED
    wanted = target(checksum)
    assert installer.finish(wanted, restarted=False).stage is Stage.WAITING
    # Once more, as after a kill: nothing is deployed twice.
    assert installer.install(wanted, NO_WATCH).stage is Stage.APPLIED
    assert len(device.machine.loaded.all) == 2
    device.shut_down()
    device.machine.start()
    assert running(device.machine).checksum == checksum
    found = installer.finish(wanted, restarted=True)
    assert (found.stage, "health checks" in found.words) == (Stage.TRIAL, True)
    mark_good(device.machine.sysroot, device.machine.loaded)
    assert installer.finish(wanted, restarted=True) == Outcome.good()
    assert installer.running([Install(1, wanted, State.CURRENT)]).name == "os-2"


def test_a_release_that_never_comes_up_has_failed_and_is_not_tried_again(device):
    checksum, installer, _ = put(device)
    device.shut_down()
    for _ in range(5):
        device.machine.start()
    assert running(device.machine).checksum == device.first
    assert settled(device.machine) is not None
    found = installer.finish(target(checksum), restarted=True)
    assert found.result.code == "INSTALL_FAILED"
    assert found.result.description.startswith("it was rolled back: it did not come up")
    again = installer.install(target(checksum), NO_WATCH)
    assert "was rolled back on this device" in again.result.description


def test_a_release_whose_health_checks_fail_says_which(device):
    checksum, installer, _ = put(device)
    device.shut_down()
    loaded = device.machine.start()
    verdict = Verdict(End.HEALTH, "required.d/net: exit status 1", NOW)
    mark_bad(device.machine.sysroot, loaded, loaded.booted, verdict)
    found = installer.finish(target(checksum), restarted=True)
    assert "required.d/net: exit status 1" in found.result.description
    device.machine.start()
    settled(device.machine)
    found = installer.finish(target(checksum), restarted=True)
    assert "required.d/net: exit status 1" in found.result.description


def test_another_deployment_that_boots_is_a_failure(device):
    """X20."""
    checksum, installer, _ = put(device)
    device.shut_down()
    device.machine.run(1)
    found = installer.finish(target(checksum), restarted=True)
    assert f"{device.first} runs, and not {checksum}" in found.result.description


def test_power_lost_before_the_shutdown_is_no_failure(device):
    checksum, installer, _ = put(device)
    device.lose_power()
    device.machine.start()
    assert installer.finish(target(checksum), restarted=True).stage is Stage.LOST
    assert installer.install(target(checksum), NO_WATCH).stage is Stage.APPLIED


def test_a_shutdown_that_failed_says_why(device):
    checksum, installer, _ = put(device)
    device.lose_power()
    stamp = device.machine.root / "boot/ostree/finalize-failure.stamp"
    stamp.write_text("there was no room")
    device.machine.start()
    found = installer.finish(target(checksum), restarted=True)
    assert found.result.description.endswith("at shutdown: there was no room")


def test_during_a_trial_nothing_is_installed(device):
    put(device)
    device.shut_down()
    device.machine.start()
    _, _, outcome = put(device, "3")
    assert outcome.stage is Stage.LATER
    assert "is on trial" in outcome.words


def test_a_directory_counts_as_restarted_when_somebody_says_so(device):
    checksum, installer, outcome = put(device, booted=Booted.STAGED)
    assert outcome.stage is Stage.APPLIED
    assert installer.finish(target(checksum), restarted=False).stage is Stage.WAITING
    assert installer.finish(target(checksum), restarted=True) == Outcome.good()
    assert installer.running(()).hashes == {"sha256": checksum}
    # Somebody boots what was there before.
    device.machine.deploy(device.first)
    found = installer.finish(target(checksum), restarted=True)
    assert found.result is not None or found.stage is Stage.LOST


def test_a_download_is_held_until_it_is_not_wanted(device):
    checksum = device.releases.make("2")
    installer = device.installer()
    image = agreed("os-2", checksum)
    assert not installer.has(image)
    installer.download(image, Hub(device.releases.url), NO_WATCH)
    assert installer.has(image)
    installer.keep_only([target(checksum)])
    assert installer.has(image)
    installer.keep_only([])
    assert not installer.has(image)
    assert (
        resolve_ref(device.machine.sysroot.repo, "ostrya-ota", "target", allow_noent=True) is None
    )


def test_a_full_disk_is_seen_before_anything_comes(device, monkeypatch):
    checksum = device.releases.make("2", sizes=True)
    monkeypatch.setattr(preflight, "_room", lambda _fd: 10)
    monkeypatch.setattr(ostree_installer, "min_free_bytes", lambda _repo: 7)
    words = r"os-2, in the repository of .* takes \d+ bytes, and of 17 that are free, 7 stay so"
    with pytest.raises(NoRoom, match=words):
        device.installer().download(agreed("os-2", checksum), Hub(device.releases.url), NO_WATCH)


def test_a_commit_without_a_kernel_is_refused_before_its_files_come(device):
    import shutil

    def no_kernel(tree):
        shutil.rmtree(tree / "usr/lib/modules")

    checksum = device.releases.make("2", edit=no_kernel)
    with pytest.raises(ImageUnsuitable, match="there is no kernel"):
        device.installer().download(agreed("os-2", checksum), Hub(device.releases.url), NO_WATCH)


def test_objects_that_are_not_what_they_are_called_are_refused(device):
    """X10: the right checksum, and other bytes."""
    checksum = device.releases.make("2")
    path = device.releases.repo.path
    commit = f"{path}/objects/{checksum[:2]}/{checksum[2:]}.commit"
    with open(commit, "r+b") as file:
        file.seek(100)
        file.write(b"\xff")
    from ostrya.errors import FormatError, IntegrityError

    with pytest.raises((IntegrityError, FormatError)):
        device.installer().download(agreed("os-2", checksum), Hub(device.releases.url), NO_WATCH)
    assert not device.installer().has(agreed("os-2", checksum))


def test_a_commit_that_is_not_there_is_an_error_of_the_server(device):
    with pytest.raises(FetchError):
        device.installer().download(agreed("os-2", "ab" * 32), Hub(device.releases.url), NO_WATCH)


def test_a_download_can_be_called_off(device):
    class Off:
        def look(self):
            raise UpdateCancelled("somebody wants it to end")

        def tell(self, progress):
            pass

    checksum = device.releases.make("2")
    with pytest.raises(UpdateCancelled):
        device.installer().download(agreed("os-2", checksum), Hub(device.releases.url), Off())


@pytest.mark.parametrize("has_objects", [True, False], ids=["beside objects", "alone"])
def test_a_delta_is_taken_where_there_is_one(device, monkeypatch, has_objects):
    """From what runs: for a commit by its checksum too, also where a server has deltas only."""
    repo = device.releases.repo
    pull_local(repo, device.machine.sysroot.repo, [device.first], PullLocalOptions())
    checksum = device.releases.make("2", sizes=True)
    generate_delta(repo, DeltaName(checksum, device.first), GenerateOptions(), now=0)
    reindex_deltas(repo)
    if not has_objects:
        for path in Path(repo.path, "objects").rglob("*.filez"):
            path.unlink()
        for path in Path(repo.path, "objects").rglob("*.dir*"):
            path.unlink()
    fetcher = FolderFetcher(repo.path)
    monkeypatch.setattr("ostrya.pull.pull.open_fetcher", lambda *_, **__: fetcher)
    installer = device.installer()
    installer.download(agreed("os-2", checksum), Hub(BASE), NO_WATCH)
    assert installer.has(agreed("os-2", checksum))
    assert any(path.startswith("deltas/") for path in fetcher.asked)
