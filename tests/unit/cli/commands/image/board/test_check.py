# SPDX-License-Identifier: Apache-2.0
from unit.image.test_board import TEXT


def test_an_image_that_is_none(run, tmp_path):
    (tmp_path / "x").write_bytes(b"x" * 5000)
    said = run.fails("image", "board", "check", "qemu-arm", f"--image={tmp_path}/x", status=60)
    assert "neither a partition table" in said


def test_what_is_found(run, schema, tmp_path):
    firmware = f"--firmware={tmp_path}"
    found = run("image", "board", "check", "raspberrypi3", firmware, "--json")
    schema(found.json(), "image-board-check")
    assert {one["what"]: one["state"] for one in found.json()["findings"]}["ROM"] == "ok"
    assert "one BOARD must be specified" in run.fails("image", "board", "check", status=2)


def test_status(run, tmp_path):
    path = tmp_path / "b.toml"
    path.write_text(TEXT.replace('name = "b"', 'name = "b"\nkernel = "Image"'))
    assert "ok       kernel: Image for aarch64" in run.ok("image", "board", "check", str(path)).out
    path.write_text(TEXT)
    assert run("image", "board", "check", str(path)).status == 1
