# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from contextlib import contextmanager

import pytest

from ostrya.uptane.client import binary_installer as module
from ostrya.uptane.client.binary_installer import BinaryInstaller, ImageFiles, file_name
from ostrya.uptane.client.errors import ImageUnsuitable, NoRoom, UpdateCancelled
from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.installs import Install, State, Target
from ostrya.uptane.client.server import ImageBody
from ostrya.uptane.client.watch import NO_WATCH
from ostrya.uptane.errors import ImageRejected, ServerUnreachable
from ostrya.uptane.full_verification import Agreed
from ostrya.uptane.metadata.hashes import KNOWN, digests
from ostrya.uptane.metadata.targets import Image

CONTENT = b"0123456789" * 1000
HASHES = digests(CONTENT, KNOWN)
IMAGE = Agreed(
    "fw", len(CONTENT), HASHES, {"e": "b"}, None, False, "", Image(0, {}), Image(0, {})
)  # fmt: skip
TARGET = Target("e", "fw", len(CONTENT), HASHES)


class Source:
    """Serves bytes, until it breaks."""

    def __init__(self, content=CONTENT, *, breaks_at=None, ranges=True):
        self.content = content
        self.breaks_at = breaks_at
        self.ranges = ranges
        self.asked = []

    @contextmanager
    def open_image(self, name, uri, offset, max_bytes):
        self.asked.append(offset)
        start = offset if self.ranges else 0
        yield ImageBody(start, len(self.content), self._chunks(start))

    def _chunks(self, start):
        for at in range(start, len(self.content), 1000):
            if self.breaks_at is not None and at >= self.breaks_at:
                raise ServerUnreachable("u", "it broke")
            yield self.content[at : at + 1000]


@pytest.fixture
def files(tmp_path):
    return ImageFiles(str(tmp_path / "images"), 0)


def test_a_file_is_there_under_its_digest(files, tmp_path):
    files.download(IMAGE, Source(), NO_WATCH)
    assert files.has(HASHES)
    (path,) = (tmp_path / "images").iterdir()
    assert path.name == HASHES["sha256"]
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    again = Source()
    files.download(IMAGE, again, NO_WATCH)
    assert again.asked == []


@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_is_gone_on_from(files, ranges):
    with pytest.raises(ServerUnreachable):
        files.download(IMAGE, Source(breaks_at=4000), NO_WATCH)
    source = Source(ranges=ranges)
    files.download(IMAGE, source, NO_WATCH)
    assert source.asked == [4000]
    assert os.read(files.open_file(HASHES), 99999) == CONTENT


def test_all_of_it_that_was_never_renamed_is_not_asked_for_again(files, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / f"images/{HASHES['sha256']}.part").write_bytes(CONTENT)
    source = Source()
    files.download(IMAGE, source, NO_WATCH)
    assert source.asked == []
    assert files.has(HASHES)


@pytest.mark.parametrize("found", [b"X" * len(CONTENT), CONTENT + b"more"], ids=["other", "longer"])
def test_a_beginning_of_something_else_is_not_gone_on_from(files, tmp_path, found):
    (tmp_path / "images").mkdir()
    part = tmp_path / f"images/{HASHES['sha256']}.part"
    part.write_bytes(found)
    if len(found) > len(CONTENT):
        files.download(IMAGE, Source(), NO_WATCH)
    else:
        with pytest.raises(ImageRejected):
            files.download(IMAGE, Source(), NO_WATCH)
        assert not part.exists()


@pytest.mark.parametrize("algorithm", list(KNOWN))
def test_every_digest_has_to_be_right(files, tmp_path, algorithm):
    image = IMAGE._replace(hashes={**HASHES, algorithm: "0" * KNOWN[algorithm]})
    with pytest.raises(ImageRejected, match=algorithm):
        files.download(image, Source(), NO_WATCH)
    assert list((tmp_path / "images").iterdir()) == []


def test_endless_data_ends_at_the_length_that_was_agreed_on(files, tmp_path):
    class Endless(Source):
        def _chunks(self, start):
            while True:
                yield b"x" * 1000

    with pytest.raises(ImageRejected, match="more than the 10000 bytes"):
        files.download(IMAGE, Endless(), NO_WATCH)
    assert list((tmp_path / "images").iterdir()) == []


def test_a_server_that_begins_elsewhere(files):
    class Later(Source):
        @contextmanager
        def open_image(self, name, uri, offset, max_bytes):
            yield ImageBody(7, None, iter([CONTENT]))

    with pytest.raises(ImageRejected, match="from byte 7 on"):
        files.download(IMAGE, Later(), NO_WATCH)


def test_room_is_looked_for_before_anything_is_asked(tmp_path):
    files = ImageFiles(str(tmp_path / "images"), 1 << 60)
    source = Source()
    words = r"to come of fw takes \d+ bytes, and of \d+ that are free, 1152921504606846976 stay so"
    with pytest.raises(NoRoom, match=words) as caught:
        files.download(IMAGE, source, NO_WATCH)
    assert source.asked == []
    assert "min_free_mib of [pacman]" in caught.value.message


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("at", range(0, 10, 3))
def test_a_disk_that_fails_at_a_write(files, monkeypatch, error, at):
    real, count = os.write, iter(range(99))

    def write(fd, data):
        if next(count) == at:
            raise OSError(error, os.strerror(error))
        return real(fd, data)

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "write", write)
        with pytest.raises(OSError, match=os.strerror(error)):
            files.download(IMAGE, Source(), NO_WATCH)
    assert not files.has(HASHES)
    source = Source()
    files.download(IMAGE, source, NO_WATCH)
    assert source.asked == [1000 * at]
    assert files.has(HASHES)


def test_it_can_be_called_off(files):
    class Off:
        def look(self):
            raise UpdateCancelled("off")

    with pytest.raises(UpdateCancelled):
        files.download(IMAGE, Source(), Off())


def test_what_is_not_wanted_goes_and_other_files_stay(files, tmp_path):
    files.download(IMAGE, Source(), NO_WATCH)
    folder = tmp_path / "images"
    for name in ("mine.txt", f"{'a' * 64}", f"{'b' * 64}.part"):
        (folder / name).write_text("x")
    files.keep_only([HASHES])
    assert sorted(os.listdir(folder)) == sorted([HASHES["sha256"], "mine.txt"])
    ImageFiles(str(tmp_path / "nowhere"), 0).keep_only([])


def test_install_is_being_there(files):
    installer = BinaryInstaller(files)
    assert installer.install(TARGET, NO_WATCH).result.code == "INSTALL_FAILED"
    assert installer.finish(TARGET, restarted=True).stage is Stage.LOST
    installer.download(IMAGE, Source(), NO_WATCH)
    assert installer.has(IMAGE)
    assert installer.install(TARGET, NO_WATCH) == Outcome.good()
    assert installer.running(()) is None
    log = [Install(1, TARGET, State.EARLIER), Install(2, TARGET._replace(name="m"), State.CURRENT)]
    assert installer.running(log).name == "m"


def test_a_restart_that_is_made_up(files):
    installer = BinaryInstaller(files, fake_need_reboot=True)
    installer.download(IMAGE, Source(), NO_WATCH)
    assert installer.install(TARGET, NO_WATCH).stage is Stage.APPLIED
    assert installer.finish(TARGET, restarted=False).stage is Stage.WAITING
    assert installer.finish(TARGET, restarted=True) == Outcome.good()


def test_commits_are_refused(files):
    with pytest.raises(ImageUnsuitable, match="OSTree commit"):
        BinaryInstaller(files).refuse(IMAGE._replace(is_ostree=True))


@pytest.mark.parametrize(
    "hashes", [{}, {"sha256": "../../etc/passwd".rjust(64, "a")}, {"md5": "a" * 64}]
)
def test_only_digests_name_files(hashes):
    with pytest.raises(ImageUnsuitable):
        file_name(hashes)
