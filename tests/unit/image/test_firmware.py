# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image import firmware
from ostrya.image.board import parse_board
from ostrya.image.errors import BoardError
from ostrya.image.fat import FatFile
from ostrya.image.firmware import FirmwarePlaces, find_firmware, find_path, is_provided
from unit.image.test_board import TEXT

BOARD = parse_board(
    TEXT
    + """
[[firmware]]
sources = ["usr/lib/fw/start.elf", "opt/start.elf"]
file = "start.elf"
package = "fw"
[[firmware]]
sources = ["usr/lib/*/over/*.dtbo"]
file = "overlays/"
optional = true
[[firmware]]
sources = ["usr/lib/fw/MLO"]
offset_kib = 128
package = "spl"
[[text]]
file = "config.txt"
lines = ["a=1", "b=2"]
""",
    "here",
)


def put(top, path, text):
    target = top / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


def test_each_place_in_turn(tmp_path):
    places = FirmwarePlaces(*(str(tmp_path / name) for name in ("folder", "release", "host")))
    put(tmp_path / "host", "usr/lib/fw/start.elf", "host")
    put(tmp_path / "host", "usr/lib/fw/MLO", "mlo")
    put(tmp_path / "release", "usr/lib/linux-1/over/b.dtbo", "b")
    put(tmp_path / "release", "usr/lib/linux-1/over/a.dtbo", "a")
    found = find_firmware(BOARD, places)
    assert found.files == (
        FatFile("config.txt", b"a=1\nb=2\n"),
        FatFile("start.elf", b"host"),
        FatFile("overlays/a.dtbo", b"a"),
        FatFile("overlays/b.dtbo", b"b"),
    )
    assert found.raw == ((128 * 1024, b"mlo"),)
    assert found.sources[0] == ("start.elf", str(tmp_path / "host/usr/lib/fw/start.elf"))

    put(tmp_path / "release", "opt/start.elf", "release")
    assert find_firmware(BOARD, places).files[1].data == b"release"
    put(tmp_path / "folder", "start.elf", "folder")
    assert find_firmware(BOARD, places).files[1].data == b"folder"


def test_all_that_is_missing_is_named_with_its_package(tmp_path):
    places = FirmwarePlaces(str(tmp_path / "folder"), "", str(tmp_path))
    with pytest.raises(BoardError, match=r"usr/lib/fw/start\.elf, usr/lib/fw/MLO") as caught:
        find_firmware(BOARD, places)
    assert str(tmp_path / "folder") in str(caught.value)
    assert "fw, spl" in caught.value.hint


def test_a_release_leads_nowhere_else(tmp_path):
    """A link of a release is one within it, not one of the machine that builds."""
    secret = put(tmp_path, "usr/lib/fw/secret", "secret")
    release = tmp_path / "release"
    put(release, "usr/lib/fw/MLO", "mlo")
    (release / "usr/lib/fw/start.elf").symlink_to(secret)
    with pytest.raises(BoardError, match=r"start\.elf"):
        find_firmware(BOARD, FirmwarePlaces("", str(release), str(tmp_path / "no")))
    put(release, str(secret).lstrip("/"), "its own")
    found = find_firmware(BOARD, FirmwarePlaces("", str(release), str(tmp_path / "no")))
    assert found.files[1].data == b"its own"


def test_what_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(firmware, "MAX_FILE_BYTES", 3)
    put(tmp_path, "start.elf", "four")
    put(tmp_path, "MLO", "mlo")
    with pytest.raises(BoardError, match="larger than"):
        find_firmware(BOARD, FirmwarePlaces(str(tmp_path), "", str(tmp_path)))


@pytest.mark.parametrize(
    ("file", "there"),
    [("start.elf", True), ("config.txt", True), ("overlays/x.dtbo", True), ("x.dtbo", False)],
)
def test_what_a_board_brings(file, there):
    assert is_provided(BOARD, file) == there


def test_the_folder_comes_before_this_machine_and_that_before_the_release(tmp_path):
    places = FirmwarePlaces(*(str(tmp_path / name) for name in ("folder", "release", "host")))
    assert find_path(places, "x") is None
    for name in ("release", "host", "folder"):
        put(tmp_path / name, "x", name)
        assert find_path(places, "x") == str(tmp_path / name / "x")
