# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.pull.errors import PushRefused
from ostrya.pull.push_address import TargetOptions, open_target
from ostrya.pull.push_bucket import BucketTarget
from ostrya.pull.push_directory import DirectoryTarget
from ostrya.pull.push_treehub import TreehubTarget


@pytest.mark.parametrize(
    ("address", "kind", "shown"),
    [
        ("/srv/repo", DirectoryTarget, "/srv/repo"),
        ("repo", DirectoryTarget, "repo"),
        ("file:///srv/my%20repo", DirectoryTarget, "/srv/my repo"),
        ("s3://bucket/a/b", BucketTarget, "s3://bucket/a/b"),
        ("https://me:secret@host/api/v2/", TreehubTarget, "https://host/api/v2"),
    ],
)
def test_addresses(address, kind, shown):
    target = open_target(address, TargetOptions(region="us-east-1"))
    assert isinstance(target, kind)
    assert target.shown == shown
    target.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://host/x", "cannot push to ftp://host/x: ftp is not known"),
        ("", "the path of the target is empty"),
        ("file://", "the path of the target is empty"),
        ("ssh://host", "cannot push to ssh://host"),
    ],
)
def test_no_address(address, words):
    with pytest.raises(PushRefused, match=words):
        open_target(address)
