# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zipfile

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


@pytest.mark.parametrize("is_zip", [False, True])
def test_credentials_that_say_where(tmp_path, is_zip):
    told = '{"no_auth": true, "ostree": {"server": "https://host/treehub/"}}'
    path = tmp_path / "credentials"
    if is_zip:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("treehub.json", told)
    else:
        path.write_text(told)
    target = open_target(str(path))
    assert isinstance(target, TreehubTarget)
    assert target.shown == "https://host/treehub"
    target.close()


@pytest.mark.parametrize("told", ['{"no_auth": true}', '{"ostree": {"server": "/srv"}}', "[]", "x"])
def test_credentials_that_do_not(tmp_path, told):
    path = tmp_path / "treehub.json"
    path.write_text(told)
    with pytest.raises(PushRefused, match=r"treehub\.json"):
        open_target(str(path))
