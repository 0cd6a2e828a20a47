# SPDX-License-Identifier: Apache-2.0
"""A directory on the network by each of three servers: Debian's nginx, ours, and the suite's own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.certificates import make_certificates
from support.nginx import nginx
from support.serving import serving

TRIVIAL = Path("/usr/libexec/libostree/ostree-trivial-httpd")
NAMES = ("nginx", "serve", "trivial-httpd")


@contextmanager
def web_server(name: str, repo: Path, folder: Path) -> Iterator[str]:
    """Serve a repository and give its address; the server's own files are in ``folder``."""
    folder.mkdir(exist_ok=True)
    if name == "nginx":
        with nginx(folder / "nginx", repo, make_certificates(folder / "certs")) as server:
            yield server.http
    elif name == "serve":
        with serving(repo) as served:
            yield served.url
    else:
        with _trivial_httpd(repo, folder / "port") as url:
            yield url


@contextmanager
def _trivial_httpd(repo: Path, port_file: Path) -> Iterator[str]:
    if not TRIVIAL.exists():
        pytest.skip("needs ostree-tests")
    argv = [str(TRIVIAL), f"--port-file={port_file}", str(repo)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{_read_port(process, port_file)}"
        finally:
            process.terminate()


def _read_port(process: subprocess.Popen[bytes], port_file: Path) -> int:
    while process.poll() is None:
        if port_file.exists() and (text := port_file.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.02)
    pytest.fail("the suite's server does not start")
