# SPDX-License-Identifier: Apache-2.0
"""Certificates for a test: an authority, a server and a client that it vouches for, and a stranger."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.commands import have


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files; ``x.pem`` is a certificate and ``x.key`` its key."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    stranger: Path
    stranger_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make all of them in a folder, for 127.0.0.1 and localhost."""
    if not have("openssl"):
        pytest.skip("needs openssl")
    folder.mkdir(exist_ok=True)
    for name in ("ca", "stranger"):
        _openssl(
            folder, "req", "-x509", *_key(name), "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
        )  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        _openssl(folder, "req", "-new", *_key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}")
        _openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "names",
        )  # fmt: skip
    paths = (folder / name for name in (
        "ca.pem", "server.pem", "server.key", "client.pem", "client.key", "stranger.pem",
        "stranger.key",
    ))  # fmt: skip
    return Certificates(*paths)


def _key(name: str) -> list[str]:
    return [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
        f"{name}.key",
    ]  # fmt: skip


def _openssl(folder: Path, *argv: str) -> None:
    done = subprocess.run(
        ["openssl", *argv], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
