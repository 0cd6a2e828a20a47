# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_two_images(run, images):
    lines = run.ok("image", "diff", images.old, images.new).lines
    assert "M    /usr/bin/tool (10 bytes -> 20 bytes)" in lines
    assert "package bash:amd64: 1 -> 2" in lines
    assert "1 -> 2" in lines
    assert "packages: 0 added, 0 removed, 1 changed" in lines


def test_a_release_and_an_image(run, images):
    repo = f"--repo={images.repo}"
    lines = run.ok("image", "diff", repo, "os/stable^", images.new).lines
    assert "M    /usr/bin/tool (10 bytes -> 20 bytes)" in lines
    same = run.ok("image", "diff", repo, images.commits[1], images.new).lines
    assert same[0] == "2 -> 2"


def test_parts_of_it(run, images):
    packages = run.ok("image", "diff", "--packages", images.old, images.new).out
    assert "/usr/bin/tool" not in packages
    stats = run.ok("image", "diff", "--stats", images.old, images.new).lines
    assert stats[0] == "1 -> 2"
    assert "in sum +10 bytes" in stats[1]


def test_json(run, images, schema):
    found = run.ok("image", "diff", "--json", images.old, images.new).json()
    schema(found, "image-diff")
    assert {"path": "/usr/bin/tool", "how": "changed", "old": 10, "new": 20} in found["files"]
    assert found["packages"] == [{"name": "bash:amd64", "how": "changed", "old": "1", "new": "2"}]
    assert found["sums"]["growth_bytes"] == 10


def test_what_is_neither(run, images):
    assert "no image nothing" in run.fails("image", "diff", "nothing", images.new, status=60)
    repo = f"--repo={images.repo}"
    assert "nothing" in run.fails("image", "diff", repo, "nothing", images.new, status=20)
    assert "must be specified" in run.fails("image", "diff", images.new, status=2)
