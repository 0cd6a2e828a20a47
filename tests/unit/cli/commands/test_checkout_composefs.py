# SPDX-License-Identifier: Apache-2.0
"""``commit --generate-composefs-metadata`` and ``checkout --composefs``."""

from __future__ import annotations

import re

import pytest

from ostrya.formats.verity_digest import verity_digest

KEY = "--print-metadata-key=ostree.composefs.digest.v0"


@pytest.fixture
def promised(run, sample, tmp_path):
    """A commit that has the digest of its image; the digest."""
    tree = tmp_path / "tree"
    (tree / "usr").mkdir(parents=True)
    (tree / "usr" / "file").write_text("content")
    run.ok(
        sample.option, "commit", "--branch=promised", "--generate-composefs-metadata",
        "--owner-uid=0", "--owner-gid=0", tree,
    )  # fmt: skip
    shown = run.ok(sample.option, "show", KEY, "promised")
    return "".join(re.findall(r"0x([0-9a-f]{2})", shown.out))


def test_the_image_is_the_promised_one(run, sample, tmp_path, promised):
    run.ok(sample.option, "checkout", "--composefs", "promised", tmp_path / "image")
    assert verity_digest([(tmp_path / "image").read_bytes()]) == promised


def test_without_verity_it_is_another(run, sample, tmp_path, promised):
    run.ok(sample.option, "checkout", "--composefs-noverity", "promised", tmp_path / "image")
    assert verity_digest([(tmp_path / "image").read_bytes()]) != promised


def test_a_commit_without_promise_has_an_image_too(run, sample, tmp_path):
    run.ok(sample.option, "checkout", "--composefs", "main", tmp_path / "image")
    assert (tmp_path / "image").read_bytes()[:4].hex() == "9a6278d0"


@pytest.mark.parametrize(
    "option",
    [
        "--disable-cache",
        "--whiteouts",
        "--require-hardlinks",
        "--union-add",
        "--union-identical",
        "--force-copy",
        "--force-copy-zerosized",
        "--bareuseronly-dirs",
        "--process-passthrough-whiteouts",
        "--skip-list=x",
        "--selinux-policy=x",
        "--selinux-prefix=x",
    ],
)
def test_options_that_make_no_sense_with_an_image(run, sample, tmp_path, option):
    error = run.fails(sample.option, "checkout", "--composefs", option, "main", tmp_path / "image")
    assert error == "Specified options are incompatible with --composefs"
    assert not (tmp_path / "image").exists()


def test_no_room_for_the_image(run, sample, tmp_path, promised, monkeypatch):
    from ostrya.tree import composefs

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(composefs, "checkout_image", fail)
    found = run.fails(sample.option, "checkout", "--composefs", "promised", tmp_path / "image")
    assert found == f"{tmp_path / 'image'}: No space left on device"
