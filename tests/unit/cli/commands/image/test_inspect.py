# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_it_says_what_is_in_an_image(run, images):
    lines = run.ok("image", "inspect", images.new).lines
    assert lines[0].startswith(f"{images.new}: raw, ")
    assert any("ext4 'otaroot'" in line for line in lines)
    assert f"* os {images.commits[1]}.0" in lines
    assert "    version: 2" in lines
    assert "    follows: vendor:os/stable" in lines
    assert "remote vendor: https://example.com/repo" in lines
    assert "packages: 1" in lines
    assert not [line for line in lines if line.startswith("fault")]


def test_json(run, images, schema):
    found = run.ok("image", "inspect", "--json", images.new).json()
    schema(found, "image-inspect")
    assert found["deployments"][0]["checksum"] == images.commits[1]
    assert found["packages"] == 1


def test_what_is_no_image(run, tmp_path):
    (tmp_path / "x").write_bytes(b"nothing" * 1000)
    assert "neither a partition table" in run.fails("image", "inspect", tmp_path / "x", status=60)
    assert "must be specified" in run.fails("image", "inspect", status=2)
