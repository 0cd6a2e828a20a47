# SPDX-License-Identifier: Apache-2.0
"""Which paths are shown, and how long they may be kept."""

from __future__ import annotations

import pytest

from ostrya.serve.paths import cache_control, path_of


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/config", "config"),
        ("/config?x=/../y", "config"),
        ("/config#x", "config"),
        ("//objects//ab/cd.filez", "objects/ab/cd.filez"),
        ("http://host:80/config", "config"),
        ("HTTPS://host/config", "config"),
        ("/refs/heads/a%20b%25c", "refs/heads/a b%c"),
        ("/refs/heads/%C3%A9", "refs/heads/é"),
        ("/refs/heads/%ff", "refs/heads/\udcff"),
        ("/deltas/Ab/C_d+e-f/superblock", "deltas/Ab/C_d+e-f/superblock"),
        ("/summary.idx", "summary.idx"),
        ("/refs/heads/tmp", "refs/heads/tmp"),
        ("/refs/heads/tmp/state/x", "refs/heads/tmp/state/x"),
        ("/refs/heads/app.lock", "refs/heads/app.lock"),
        ("/a/..b", None),
        ("/refs/heads/a%2525", "refs/heads/a%25"),
    ],
)
def test_what_is_shown(target, path):
    assert path_of(target) == path


@pytest.mark.parametrize(
    "target",
    [
        "", "*", "/", "//", "config", "host:443", "ftp://host/config", "/objects/", "/config/",
        "/..", "/../etc/passwd", "/objects/../config", "/./config", "/%2e%2e/etc/passwd",
        "/objects/%2E./config", "/objects%2fab", "/objects%2Fab", "/config%00", "/config%", "/config%zz",
        "/.lock", "/.git/config", "/objects/.x", "/tmp/x", "/tmp", "/state/x", "/%74mp/x",
        "/staging.lock", "/tmp/cache/summaries/x", "/origin.cookies.txt", "/" + "a/" * 40 + "b",
    ],
)  # fmt: skip
def test_what_is_not_shown(target):
    assert path_of(target) is None


@pytest.mark.parametrize(
    ("path", "for_ever"),
    [
        ("objects/ab/cd.filez", True),
        ("objects/ab/cd.commit", True),
        ("objects/ab/cd.commitmeta", False),
        ("deltas/Ab/Cd/0", True),
        ("objects", False),
        ("summary", False),
        ("summary.sig", False),
        ("config", False),
        ("refs/heads/objects", False),
        ("delta-indexes/Ab/Cd.index", False),
    ],
)
def test_what_may_be_kept(path, for_ever):
    assert ("immutable" in cache_control(path)) is for_ever
    assert ("no-cache" in cache_control(path)) is not for_ever


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/ostree/repo/config", "config"),
        ("//ostree//repo//objects/ab/cd.filez", "objects/ab/cd.filez"),
        ("/ostree/repo", None),
        ("/ostree/repo/", None),
        ("/ostree/config", None),
        ("/config", None),
        ("/ostree/repo/.lock", None),
        ("/ostree/repo/tmp/x", None),
        ("/ostree/repo/../config", None),
    ],
)
def test_below_a_path(target, path):
    assert path_of(target, "ostree/repo") == path
