# SPDX-License-Identifier: Apache-2.0
"""Who names authorities believes in nobody else: not even in those of the system.

Debian's libcurl has a folder of the system's authorities in it. Here it holds one that vouches for
the server; so each test shows first that the server is believed where nobody is named.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from support.commands import OURS, clean_environment
from support.fleet_ca import FleetCa
from support.gateway import Gateway

PYTHON = Path("/usr/bin/python3")
SOURCES = Path(__file__).resolve().parents[2] / "src"
ASK = """
import sys
from ostrya.fetch.exchange import Exchange, Message
from ostrya.fetch.exchange_options import ExchangeOptions, host_with_port
url, ca = sys.argv[1:3]
options = ExchangeOptions(ca, own_hosts=frozenset({host_with_port(url)}), retries=0)
print(Exchange(options).send(Message("GET", url)).status)
"""


@pytest.fixture
def system(tmp_path):
    """Run a command where the system believes in one authority, and no other; return it and that."""
    checked = [PYTHON, "-c", "import pycurl; assert 'GnuTLS' in pycurl.version"]
    if not PYTHON.exists() or subprocess.run(checked, check=False, capture_output=True).returncode:
        pytest.skip("needs Debian's python3-pycurl")
    if os.geteuid() != 0:
        pytest.skip("no user namespaces here to be root in")
    authority = FleetCa("of-the-system")
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "one.pem").write_bytes(authority.pem)

    def run(*argv: object) -> subprocess.CompletedProcess[str]:
        words = shlex.join(map(str, argv))
        script = f"mount --bind {folder} /etc/ssl/certs && exec {words}"
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            capture_output=True, text=True, check=False, timeout=60,
            env={**clean_environment(), "PYTHONPATH": str(SOURCES)},
        )  # fmt: skip

    return run, authority


@pytest.fixture
def server(system, tmp_path):
    """A server that the system's authority vouches for, and a fleet that has another one."""
    with Gateway(tmp_path / "gateway", system[1]) as gateway:
        gateway.client_required = False
        yield gateway


@pytest.fixture
def fleet_ca(tmp_path):
    path = tmp_path / "fleet.pem"
    path.write_bytes(FleetCa("of-the-fleet").pem)
    return path


def repository(server, tmp_path) -> Path:
    """Serve a repository with a commit; return an empty one."""
    source = tmp_path / "source"
    (tmp_path / "tree").mkdir()
    OURS("init", f"--repo={source}", "--mode=archive")
    OURS("commit", f"--repo={source}", "--branch=a", tmp_path / "tree")
    for path in source.rglob("*"):
        if path.is_file():
            server.files[f"/repo/{path.relative_to(source)}"] = path.read_bytes()
    target = tmp_path / "target"
    OURS("init", f"--repo={target}", "--mode=archive")
    return target


def test_remotes(system, server, fleet_ca, tmp_path):
    run, _ = system
    repo = repository(server, tmp_path)
    for name, more in (("all", []), ("named", [f"--set=tls-ca-path={fleet_ca}"])):
        OURS(
            "remote", "add", f"--repo={repo}", "--no-gpg-verify", *more, name, f"{server.url}/repo"
        )
    ours = (PYTHON, "-m", "ostrya", "pull", f"--repo={repo}")
    refused = run(*ours, "named", "a")
    assert refused.returncode == 40, refused.stderr
    assert "certificate" in refused.stderr
    assert server.asked == []
    believed = run(*ours, "all", "a")
    assert believed.returncode == 0, believed.stderr


def test_devices(system, server, fleet_ca):
    run, _ = system
    server.files["/x"] = b"x"
    refused = run(PYTHON, "-c", ASK, f"{server.url}/x", fleet_ca)
    assert refused.returncode != 0
    assert "TlsError" in refused.stderr
    assert server.asked == []
    assert run(PYTHON, "-c", ASK, f"{server.url}/x", server.ca_path).stdout.strip() == "200"
