# SPDX-License-Identifier: Apache-2.0
"""Requests to ``serve``: their heads, paths, ranges and conditions."""

from __future__ import annotations

from ostrya.serve.conditions import Version, choose_extent
from ostrya.serve.paths import cache_control, path_of
from ostrya.serve.requests import BadRequestError, parse_request

VERSION = Version(1000, 1785585600, '"tag"')


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse; the path stays below the repository, and the part within the file."""
    try:
        request = parse_request(data)
    except BadRequestError as exc:
        if exc.status not in {400, 414, 431, 505}:
            raise
        return exc
    path = path_of(request.target)
    if path is not None:
        names = path.split("/")
        assert not any(name in {"", ".", ".."} or name.startswith(".") for name in names)
        assert "\0" not in path
        assert names[0] not in {"tmp", "state"}
        cache_control(path).encode("ascii")
    extent = choose_extent(VERSION, request.method, request.fields)
    assert extent.status in {200, 206, 304, 416}
    assert 0 <= extent.start <= extent.start + extent.length <= VERSION.size
    assert (extent.status == 206) <= (extent.length > 0)
    return (path, extent)
