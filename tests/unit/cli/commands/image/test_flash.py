# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import lzma
import os
import random
import subprocess

import pytest

from ostrya.cli.commands.image import flash as verb
from ostrya.image.bmap import BlockRange, Bmap, encode_bmap
from ostrya.image.flashing.devices import Device

DATA = random.Random(2).randbytes(100_000)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "os.img"
    path.write_bytes(DATA)
    return path


def test_to_a_file_that_is_made(run, image, tmp_path):
    said = run.ok("image", "flash", "--to-file", image, tmp_path / "out").out.replace("\xa0", " ")
    assert said == f"wrote and verified 100.0 kB of 100.0 kB to {tmp_path}/out\n"
    assert (tmp_path / "out").read_bytes() == DATA


def test_a_compressed_one_with_the_map_beside_it(run, tmp_path):
    (tmp_path / "os.wic.xz").write_bytes(lzma.compress(DATA))
    (tmp_path / "os.wic.bmap").write_bytes(encode_bmap(Bmap(len(DATA), (BlockRange(1, 2),))))
    target = tmp_path / "out"
    target.write_bytes(b"\xa5" * 200_000)
    said = run.ok("image", "flash", "--to-file", tmp_path / "os.wic.xz", target).out.replace(
        "\xa0", " "
    )
    assert "8.2 kB of 100.0 kB" in said
    assert target.read_bytes() == b"\xa5" * 4096 + DATA[4096:12288] + b"\xa5" * (len(DATA) - 12288)
    run.ok("image", "flash", "--to-file", "--no-bmap", tmp_path / "os.wic.xz", target)
    assert target.read_bytes() == DATA


def test_a_file_is_written_to_if_that_is_asked_only(run, image, tmp_path):
    target = tmp_path / "out"
    target.write_bytes(b"mine")
    assert "is no block device" in run.fails("image", "flash", image, target, status=60)
    assert target.read_bytes() == b"mine"
    assert "there is no device" in run.fails("image", "flash", image, tmp_path / "x", status=60)
    assert "must be specified" in run.fails("image", "flash", image, status=2)
    assert "is no block device" in run.fails("image", "flash", image, "/dev/null", status=60)


def test_what_stops_on_the_way_is_said(run, tmp_path):
    (tmp_path / "x.img").write_bytes(lzma.compress(DATA)[:-50])
    outcome = run("image", "flash", "--to-file", tmp_path / "x.img", tmp_path / "out")
    assert outcome.status == 60
    # What was made for it is gone; what was there is not as it was.
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_bytes(b"mine")
    outcome = run("image", "flash", "--to-file", tmp_path / "x.img", tmp_path / "out")
    assert "is not whole: nothing starts from it" in outcome.err
    assert "its end is missing" in outcome.error


def test_a_device_that_is_in_use_is_refused(run, image, monkeypatch):
    disk = next(
        (f"/dev/{one}" for one in os.listdir("/sys/block") if not one.startswith("loop")), None
    )
    if disk is None or not os.path.exists(disk):
        pytest.skip("this kernel has no disk")
    monkeypatch.setattr(
        verb, "look_at_device",
        lambda path, _number: Device(path, "x", 1 << 30, "", False, True, False, ("/media/x",), ()),
    )  # fmt: skip
    assert "is mounted at /media/x" in run.fails("image", "flash", image, disk, status=60)


@pytest.fixture
def loop(tmp_path):
    path = tmp_path / "card"
    path.write_bytes(b"\xa5" * (1 << 20))
    done = subprocess.run(
        ["losetup", "-f", "--show", path], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("no loop devices here")
    yield done.stdout.strip(), path
    subprocess.run(["losetup", "-d", done.stdout.strip()], check=True)


@pytest.mark.root
def test_a_loop_device(run, image, loop):
    device, card = loop
    outcome = run("image", "flash", image, device)
    assert "cannot be taken out" in outcome.error
    assert card.read_bytes() == b"\xa5" * (1 << 20)
    run.ok("image", "flash", "--force-fixed", image, device)
    subprocess.run(["sync"], check=True)
    assert card.read_bytes()[: len(DATA)] == DATA
    assert card.read_bytes()[-34 * 512 :] == bytes(34 * 512)


@pytest.mark.root
def test_an_image_that_is_too_large_for_a_device(run, tmp_path, loop):
    large = tmp_path / "large"
    large.write_bytes(bytes(2 << 20))
    said = run.fails("image", "flash", "--force-fixed", large, loop[0], status=60)
    assert "the image has 2097152 bytes" in said
