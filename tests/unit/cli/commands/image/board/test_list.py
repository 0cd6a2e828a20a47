# SPDX-License-Identifier: Apache-2.0


def test_all_of_them(run, schema):
    assert "raspberrypi4 " in run.ok("image", "board", "list").out
    found = run.ok("image", "board", "list", "--json").json()
    schema(found, "image-board-list")
    one = next(one for one in found["boards"] if one["name"] == "qemu-arm")
    assert (one["architecture"], one["loader"], one["runs-in-qemu"]) == ("armv7l", "uboot", True)
