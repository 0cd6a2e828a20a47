# SPDX-License-Identifier: Apache-2.0
"""Mirror lists and metalinks, followed."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.fetch.errors import HttpStatusError, MetalinkError, MirrorListError
from ostrya.fetch.mirrors import fetch_by_metalink, fetch_mirrors
from support.hostile import Answer, HostileServer, always


def test_from_the_first_mirror_that_works(fetcher):
    with HostileServer({"/good/config": b"[core]\n"}) as server:
        mirrors = [f"{server.url}/none", f"{server.url}/good/", f"{server.url}/unknown"]
        server._content["/list"] = "\n".join(["# mirrors", *mirrors]).encode()
        assert fetch_mirrors(fetcher, f"{server.url}/list") == tuple(mirrors[1:])
        assert server.paths() == ["/list", "/none/config", "/good/config"]


def test_no_mirror_works(fetcher):
    with HostileServer() as server:
        server._content["/list"] = f"{server.url}/none\n".encode()
        with pytest.raises(MirrorListError, match="No valid mirrors were found in mirrorlist"):
            fetch_mirrors(fetcher, f"{server.url}/list")


def test_no_list(fetcher, server):
    url = f"{server.url}/list".replace("://", "://user:secret@")
    with pytest.raises(MirrorListError) as caught:
        fetch_mirrors(fetcher, url)
    shown = f"{server.url}/list"
    assert caught.value.message == (
        f"While fetching mirrorlist '{shown}': While fetching {shown}: Server returned HTTP 404"
    )


@pytest.fixture
def metalink():
    """A server with a metalink to a file that is damaged, missing, and there."""
    with HostileServer({"/good": b"content", "/bad": b"c0ntent"}) as server:
        urls = "".join(
            f'<url protocol="http" preference="{9 - n}">{server.url}{path}</url>'
            for n, path in enumerate(("/bad", "/none", "/good"))
        )
        server._content["/metalink"] = (
            '<metalink><files><file name="summary"><size>7</size><verification>'
            f'<hash type="sha256">{hashlib.sha256(b"content").hexdigest()}</hash></verification>'
            f"<resources>{urls}</resources></file></files></metalink>"
        ).encode()
        yield server


def test_the_target_that_fits(fetcher, metalink):
    found = fetch_by_metalink(fetcher, f"{metalink.url}/metalink", "summary", max_bytes=100)
    assert found == (f"{metalink.url}/good", b"content")


def test_no_target_fits(fetcher, metalink):
    metalink.rule(always(Answer(200, b"moo"), "/good"))
    url = f"{metalink.url}/metalink"
    with pytest.raises(MetalinkError) as caught:
        fetch_by_metalink(fetcher, url, "summary", max_bytes=100)
    assert caught.value.message == (
        f"While following metalink '{url}': Exhausted 3 metalink targets, last error: "
        f"While fetching {metalink.url}/good: Expected size is 7 bytes but content is 3 bytes"
    )


def test_what_is_none_is_named_without_password(fetcher, metalink):
    metalink._content["/metalink"] = b"<metalink/>"
    url = f"{metalink.url}/metalink"
    with pytest.raises(MetalinkError) as caught:
        fetch_by_metalink(fetcher, url.replace("://", "://user:secret@"), "summary", max_bytes=100)
    assert caught.value.message.startswith(f"While following metalink '{url}': No <file")


def test_no_metalink(fetcher, server):
    with pytest.raises(HttpStatusError, match="HTTP 404"):
        fetch_by_metalink(fetcher, f"{server.url}/metalink", "summary", max_bytes=100)
