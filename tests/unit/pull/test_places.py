# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.pull.errors import RemoteRefusal
from ostrya.pull.places import RemotePlaces, base_address


def test_each_mirror_in_its_order():
    places = RemotePlaces(("http://a", "http://b"), ("file:///c",))
    assert places.metadata_urls("summary") == ("http://a/summary", "http://b/summary")
    assert places.content_urls("objects/ab/c") == ("file:///c/objects/ab/c",)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://a/", "http://a"),
        ("HTTPS://a/X//", "https://a/X"),
        ("FILE:///R", "file:///R"),
        ("file:///r", "file:///r"),
    ],
)
def test_base_addresses(url, base):
    assert base_address(url) == base


@pytest.mark.parametrize("url", ["badscheme://something", "ftp://x", "/local/path", ""])
def test_addresses_that_cannot_be_fetched_from(url):
    with pytest.raises(RemoteRefusal, match="Invalid URI scheme in "):
        base_address(url)
