# SPDX-License-Identifier: Apache-2.0
"""One handle for many requests: nothing of one is left for the next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ostrya.errors import FetchError
from ostrya.fetch import transfer
from ostrya.fetch.errors import TlsError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.fetch.transfer import Transfer


def test_nothing_is_left_for_the_next_request(server, fetcher):
    url = f"{server.url}/small"
    with_all = Request(
        (url.replace("://", "://u:p@"),), 4096, etag='"x"', last_modified=1, offset=2,
        headers=(("X-Own", "1"),), compressed=True,
    )  # fmt: skip
    fetch_one(fetcher, with_all)
    fetch_one(fetcher, Request((url,), 4096))
    first, second = (asked.headers for asked in server.asked)
    extra = {
        "authorization", "if-none-match", "if-modified-since", "range", "x-own", "accept-encoding",
    }  # fmt: skip
    assert extra <= set(first)
    assert not extra & set(second)
    assert first["range"] == "bytes=2-"


def test_a_certificate_that_is_not_there(server, make_fetcher):
    path = "/nonexistent/cert.pem"
    fetcher = make_fetcher(tls_client_cert_path=path, tls_client_key_path=path)
    with pytest.raises(TlsError, match=r"\[58\] .*/nonexistent/cert.pem"):
        fetch_one(fetcher, Request((f"https://127.0.0.1:{server.port}/x",), 10))


def test_a_token_that_this_libcurl_cannot_use(make_fetcher):
    uri = "pkcs11:token=x"
    with pytest.raises(FetchError, match=r"Cannot set up HTTP|While fetching"):
        fetch_one(
            make_fetcher(tls_client_cert_path=uri, tls_client_key_path=uri),
            Request(("https://127.0.0.1:1/x",), 10),
        )


def test_an_idle_handle_has_nothing(fetcher):
    transfer = fetcher._idle[0]
    assert isinstance(transfer, Transfer)
    assert transfer.absorb()
    assert transfer.final_header().status == 0


def test_nothing_is_used_that_debians_pycurl_has_not():
    """Devices have 7.45.2, without wheels; what it lacks has to be asked for by name."""
    folder = Path(transfer.__file__).parent
    used = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"pycurl\.(\w+)", path.read_text())
    }
    assert "SIZE_DOWNLOAD" in used
    assert not {name for name in used if name == "RETRY_AFTER" or name.endswith("_T")}
