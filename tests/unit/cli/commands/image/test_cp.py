# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_in_and_out_again(run, images, tmp_path):
    (tmp_path / "hostname").write_text("device\n")
    run.ok("image", "cp", tmp_path / "hostname", f"{images.new}:/etc/")
    assert run.ok("image", "cp", f"{images.new}:/etc/hostname", "-").out == "device\n"
    (tmp_path / "out").mkdir()
    run.ok(
        "image",
        "cp",
        f"{images.new}:/etc/hostname",
        f"{images.new}:boot:/boot.scr",
        tmp_path / "out",
    )
    assert (tmp_path / "out/hostname").read_text() == "device\n"
    assert (tmp_path / "out/boot.scr").read_bytes() == b"script\n" * 300


def test_directories(run, images, tmp_path):
    run.ok("image", "cp", "-r", f"{images.new}:/usr/bin", tmp_path / "bin")
    assert (tmp_path / "bin/tool").read_bytes() == b"#!/bin/sh\n" * 2
    run.ok("image", "cp", "-r", tmp_path / "bin", f"{images.new}:boot:/")
    assert "/bin/tool" in run.ok("image", "ls", "-R", f"{images.new}:boot:/").out


def test_what_is_wrong(run, images, tmp_path):
    (tmp_path / "x").write_text("")
    for arguments, words, status in (
        ((), "must be specified", 2),
        ((tmp_path / "x",), "must be specified", 2),
        ((tmp_path / "x", tmp_path / "y"), "must be in an image", 2),
        ((f"{images.new}:/etc/new", f"{images.new}:/etc"), "Only one of", 2),
        ((f"{images.new}:/etc", "-"), "is no file", 60),
        ((f"{images.new}:/etc", tmp_path), "is a directory", 60),
        ((tmp_path / "x", f"{images.new}:/nothing/x"), "not there", 60),
    ):
        assert words in run.fails("image", "cp", *arguments, status=status)
