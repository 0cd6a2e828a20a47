# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio

import pytest

from ostrya.fleet.api.multipart import boundary_in, file_of
from ostrya.fleet.errors import BadRequest

FORM = (
    b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--XyZ--\r\n"
)


def take(data: bytes, size: int) -> bytes:
    async def pieces():
        for at in range(0, len(data), size):
            yield data[at : at + size]

    async def gather():
        return b"".join([piece async for piece in file_of(pieces(), "XyZ")])

    return asyncio.run(gather())


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
@pytest.mark.parametrize(
    "content", [b"", b"x", b"\r\n", b"\r\n--Xy", b"--XyZ", b"\r\n\r\n" * 300, bytes(range(256)) * 9]
)
def test_the_file_is_found_however_it_arrives(content, size):
    assert take(FORM % content, size) == content


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"--XyZ",
        b"x" * 10_000,
        b"--Other\r\n\r\nx\r\n--Other--",
        (FORM % b"x")[:-6],
        FORM % b"x\r\n--XyZ\r\na: b\r\n\r\ny",
    ],
)
@pytest.mark.parametrize("size", [3, 1000])
def test_what_is_no_form_with_one_file(data, size):
    with pytest.raises(BadRequest):
        take(data, size)


def test_boundaries():
    assert boundary_in("multipart/form-data; boundary=XyZ") == "XyZ"
    assert boundary_in('multipart/form-data; boundary="XyZ"') == "XyZ"
    assert boundary_in("application/octet-stream") == ""
    assert boundary_in("multipart/form-data") == ""
