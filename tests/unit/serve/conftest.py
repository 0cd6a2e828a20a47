# SPDX-License-Identifier: Apache-2.0
"""A directory that looks like a repository, served."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ostrya.serve.server import Server

FILES = {
    "config": b"[core]\nrepo_version=1\nmode=archive-z2\n",
    "empty": b"",
    "objects/ab/cd.filez": bytes(range(256)) * 40_000,
    "objects/ab/ef.commitmeta": b"meta",
    "refs/heads/main": b"0" * 64 + b"\n",
    "tmp/secret": b"secret",
    ".lock": b"",
    "origin.cookies.txt": b"secret",
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """The directory, with links inside it and out of it."""
    root = tmp_path / "repo"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "outside").write_bytes(b"secret")
    (root / "refs/heads/alias").symlink_to("main")
    (root / "refs/heads/out").symlink_to("../../../outside")
    (root / "refs/heads/absolute").symlink_to("/etc/passwd")
    (root / "objects/out").symlink_to("../..")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture
def serve(folder) -> Iterator[Callable[..., Server]]:
    """Serve the directory until the end of the test."""
    fd = os.open(folder, os.O_RDONLY)
    servers, threads = [], []

    def begin(**options: object) -> Server:
        server = Server(fd, "127.0.0.1", 0, **options)
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append(server)
        threads.append(thread)
        return server

    yield begin
    for server in servers:
        server.close()
    for thread in threads:
        thread.join()
    os.close(fd)


@pytest.fixture
def server(serve) -> Server:
    """Without TLS."""
    return serve()
