# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sys

import pytest

from ostrya.repo.errors import BucketError
from ostrya.repo.packing import Packed
from ostrya.repo.stores import bucket as bucket_module
from ostrya.repo.stores.bucket import BucketOptions, open_bucket
from support.pushing import memory_bucket


@pytest.fixture
def bucket():
    return memory_bucket()


def test_written_and_read(bucket):
    assert bucket.read("a/b", 10) is None
    assert not bucket.exists("a/b")
    bucket.put("a/b", Packed(b"one"))
    assert bucket.read("a/b", 10).data == b"one"
    assert bucket.exists("a/b")
    with pytest.raises(BucketError, match="s3://memory/repo/a/b is larger than 2 bytes"):
        bucket.read("a/b", 2)


def test_a_long_file_goes_in_parts(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(bucket_module, "_PART_BYTES", 1 << 16)
    data = os.urandom(300_000)
    (tmp_path / "long").write_bytes(data)
    with Packed(fd=os.open(tmp_path / "long", os.O_RDONLY), size=len(data)) as packed:
        bucket.put("long", packed)
        bucket.put("again", packed)
    assert bucket.read("long", 1 << 20).data == data
    assert bucket.read("again", 1 << 20).data == data


def test_compared_and_replaced(bucket):
    assert bucket.replace("ref", b"one", None)
    assert not bucket.replace("ref", b"other", None)
    tag = bucket.read("ref", 10).tag
    assert bucket.replace("ref", b"two", tag)
    assert not bucket.replace("ref", b"three", tag)
    assert not bucket.replace("gone", b"x", tag)
    assert bucket.read("ref", 10).data == b"two"


def test_listed_and_deleted(bucket):
    for path in ("objects/aa/1", "objects/aa/2", "objects/ab/3", "config"):
        bucket.put(path, Packed(b"x"))
    assert sorted(bucket.list("objects/aa")) == ["objects/aa/1", "objects/aa/2"]
    assert len(list(bucket.list(""))) == 4
    assert [found.size for found in bucket.scan("config")] in ([], [1])
    bucket.delete_many(["objects/aa/1", "objects/ab/3"])
    bucket.delete("objects/aa/1")
    assert sorted(bucket.list("")) == ["config", "objects/aa/2"]
    bucket.make_layout()
    bucket.close()


def test_what_goes_wrong_has_a_name():
    server = open_bucket(
        "s3://nowhere/x", BucketOptions("http://127.0.0.1:1", "us-east-1", "a", "b", retries=0)
    )
    with pytest.raises(BucketError, match=r"^cannot read s3://nowhere/x/config: "):
        server.read("config", 10)
    with pytest.raises(BucketError, match=r"^cannot list s3://nowhere/x: "):
        list(server.list(""))


@pytest.mark.parametrize("address", ["s3://", "s3:///x", "gs://x/y"])
def test_no_bucket(address):
    with pytest.raises(BucketError, match="is no bucket: expected s3://BUCKET/PREFIX"):
        open_bucket(address)


def test_without_obstore(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(BucketError) as raised:
        open_bucket("s3://a/b")
    assert raised.value.hint == "install it with: pip install 'ostrya[cloud]'"
