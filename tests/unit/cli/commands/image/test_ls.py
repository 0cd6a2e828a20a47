# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("", "/etc"),
        (":/usr/bin", "/usr/bin/tool"),
        (":/etc/shadow", "-rw-r-----     0    42         15 "),
        (":/bin", "/bin -> usr/bin"),
        (":/bin/", "/usr/bin/tool"),
        (":/var/lib/thing", "/var/lib/thing/state"),
        (":boot:/EFI/BOOT", "/EFI/BOOT/a long name.cfg"),
        (":2:/", "/ostree"),
    ],
)
def test_places(run, images, place, line):
    assert line in run.ok("image", "ls", f"{images.new}{place}").out


def test_all_below_or_a_directory_itself(run, images):
    assert "/usr/lib/os-release" in run.ok("image", "ls", "-R", images.new).out
    (line,) = run.ok("image", "ls", "-d", f"{images.new}:/usr").lines
    assert line.endswith(" /usr")


def test_paths_alone(run, images):
    out = run.ok("image", "ls", "--nul-filenames-only", f"{images.new}:boot:/").out
    assert out.split("\0") == ["/EFI", "/boot.scr", ""]


def test_json(run, images, schema):
    found = run.ok("image", "ls", "--json", f"{images.new}:/usr/bin", f"{images.new}:/bin").json()
    schema(found, "image-ls")
    by_path = {one["path"]: one for one in found}
    assert by_path["/bin"]["target"] == "usr/bin"
    assert by_path["/usr/bin/setuid"]["mode"] == 0o4755
    assert list(by_path["/usr/bin/capable"]["xattrs"]) == ["security.capability"]


def test_what_is_not_there(run, images):
    assert "/nothing is not there" in run.fails("image", "ls", f"{images.new}:/nothing", status=60)
    assert "no partition '9'" in run.fails("image", "ls", f"{images.new}:9:/", status=60)
    assert "no image /nowhere" in run.fails("image", "ls", "/nowhere:/x", status=60)
    assert "must be specified" in run.fails("image", "ls", status=2)
