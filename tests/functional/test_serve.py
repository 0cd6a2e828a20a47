# SPDX-License-Identifier: Apache-2.0
"""``ostrya serve`` as a process, with our own fetcher and libostree's tool as its clients."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from ostrya.fetch.errors import TransferError
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.fetch.http import HttpFetcher
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.retry import RetryPolicy
from support import trees
from support.certificates import make_certificates
from support.commands import OURS, PEER
from support.serving import serving

MAX_BYTES = 1 << 30


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    """An archive with a summary."""
    folder = tmp_path_factory.mktemp("serve")
    trees.plain_tree(folder / "tree")
    (folder / "tree/long").write_bytes(bytes(range(256)) * 40_000)
    for number in range(300):
        trees.write(folder / f"tree/many/{number}", b"%d" % number)
    option = f"--repo={folder / 'repo'}"
    OURS(option, "init", "--mode=archive")
    OURS(option, "commit", "--branch=os/stable", f"--tree=dir={folder / 'tree'}")
    OURS(option, "summary", "--update")
    return folder / "repo"


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certs"))


def get(url: str, tmp_path, **options: object):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with HttpFetcher(
            HttpOptions(**({"retry": RetryPolicy(retries=0)} | options)), fd
        ) as fetcher:
            return fetch_one(fetcher, Request((url,), MAX_BYTES))
    finally:
        os.close(fd)


def test_the_line_and_the_port(repo, tmp_path):
    with serving(repo, f"--port-file={tmp_path / 'port'}") as served:
        port = served.url.rpartition(":")[2]
        assert (tmp_path / "port").read_text() == f"{port}\n"
        assert served.end() == 130


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it(repo, tmp_path, number, status):
    with serving(repo) as served:
        assert get(f"{served.url}/config", tmp_path).status == 200
        assert served.end(number) == status
        assert "Traceback" not in served.stderr


def test_every_object_comes_through_our_fetcher(repo, tmp_path):
    files = [path for path in repo.rglob("*") if path.is_file() and not path.name.startswith(".")]
    files = [path for path in files if path.relative_to(repo).parts[0] not in {"tmp", "state"}]
    fd = os.open(tmp_path, os.O_RDONLY)
    with serving(repo) as served, HttpFetcher(HttpOptions(), fd) as fetcher:
        for path in files:
            url = f"{served.url}/{path.relative_to(repo)}"
            fetcher.submit(path, Request((url,), MAX_BYTES))
        found = {}
        while fetcher.in_flight:
            found.update(fetcher.wait(None))
        assert len(files) > 300
        assert all(found[path].read() == path.read_bytes() for path in files)
        tag = found[repo / "summary"].etag
        again = fetch_one(fetcher, Request((f"{served.url}/summary",), MAX_BYTES, etag=tag))
        assert again.status == 304
    os.close(fd)


def test_the_log(repo, tmp_path):
    with serving(repo, "--log") as served:
        get(f"{served.url}/config", tmp_path)
        served.end()
    assert '"GET /config HTTP/1.1" 200 ' in served.stderr


@pytest.mark.peer
@pytest.mark.parametrize("mode", ["archive", "bare-user", "bare-user-only"])
def test_libostree_pulls(repo, tmp_path, mode):
    option = f"--repo={tmp_path / 'pulled'}"
    with serving(repo) as served:
        PEER(option, "init", f"--mode={mode}")
        PEER(option, "remote", "add", "origin", served.url, "--no-gpg-verify")
        if mode == "archive":
            PEER(option, "pull", "--mirror", "origin", "os/stable")
        else:
            PEER(option, "pull", "origin:os/stable")
        served.end()
    PEER(option, "fsck")
    ours = OURS(f"--repo={repo}", "rev-parse", "os/stable")
    assert (
        PEER(option, "rev-parse", "os/stable" if mode == "archive" else "origin:os/stable") == ours
    )


@pytest.mark.peer
def test_libostree_pulls_over_tls_with_a_certificate(repo, certs, tmp_path):
    option = f"--repo={tmp_path / 'pulled'}"
    tls = (f"--tls-cert={certs.server}", f"--tls-key={certs.server_key}", f"--client-ca={certs.ca}")
    with serving(repo, *tls) as served:
        PEER(option, "init", "--mode=archive")
        PEER(
            option, "remote", "add", "origin", served.url, "--no-gpg-verify",
            f"--set=tls-ca-path={certs.ca}", f"--set=tls-client-cert-path={certs.client}",
            f"--set=tls-client-key-path={certs.client_key}",
        )  # fmt: skip
        PEER(option, "pull", "origin:os/stable")
        PEER(option, "remote", "add", "nobody", served.url, f"--set=tls-ca-path={certs.ca}")
        PEER.fails(option, "pull", "nobody:os/stable", "--network-retries=0")
    PEER(option, "fsck")


def test_who_is_let_in(repo, certs, tmp_path):
    tls = (f"--tls-cert={certs.server}", f"--tls-key={certs.server_key}", f"--client-ca={certs.ca}")
    with serving(repo, *tls) as served:
        url = f"{served.url}/config"
        ca = {"tls_ca_path": str(certs.ca)}
        known = {
            "tls_client_cert_path": str(certs.client),
            "tls_client_key_path": str(certs.client_key),
        }
        stranger = {
            "tls_client_cert_path": str(certs.stranger),
            "tls_client_key_path": str(certs.stranger_key),
        }
        assert get(url, tmp_path, **ca, **known).status == 200
        for who in ({}, stranger):
            with pytest.raises(TransferError, match="While fetching"):
                get(url, tmp_path, **ca, **who)
        # Strangers do not keep others out.
        assert get(url, tmp_path, **ca, **known).status == 200


def test_whom_to_trust(repo, certs, tmp_path):
    with serving(repo, f"--tls-cert={certs.server}", f"--tls-key={certs.server_key}") as served:
        url = f"{served.url}/config"
        assert get(url, tmp_path, tls_ca_path=str(certs.ca)).status == 200
        assert get(url, tmp_path, tls_permissive=True).status == 200
        for options in ({}, {"tls_ca_path": str(certs.stranger)}):
            with pytest.raises(TransferError, match=r"While fetching https://.*: \[60\]"):
                get(url, tmp_path, **options)
        # Plain HTTP to a port with TLS is no way to make it hang.
        with pytest.raises(TransferError):
            get(url.replace("https", "http"), tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence", "status"),
    [
        (["--tls-key=x"], "--tls-key and --client-ca need --tls-cert", 2),
        (["--client-ca=x"], "--tls-key and --client-ca need --tls-cert", 2),
        (["--tls-cert=/nonexistent"], "Cannot use the certificate in /nonexistent", 20),
        (["--port=65536"], "Invalid port 65536", 2),
        (["--port=-1"], "Invalid port -1", 2),
        (["--address=192.0.2.1", "--port=0"], "Cannot listen on 192.0.2.1 port 0", 20),
        (["--address=127.0.0.1", "--port=0", "--port-file=/nonexistent/x"], "/nonexistent", 1),
    ],
)
def test_refusals(repo, options, sentence, status):
    done = OURS.run("serve", f"--repo={repo}", *options)
    assert done.returncode == status
    assert sentence in done.stderr.decode()


def test_archives_only(tmp_path):
    OURS(f"--repo={tmp_path}/repo", "init", "--mode=bare-user")
    stderr = OURS.fails("serve", f"--repo={tmp_path}/repo", "--port=0")
    assert "Cannot serve a repository in mode bare-user: clients pull from archives only" in stderr


def test_a_client_that_goes_away(repo, tmp_path):
    with serving(repo) as served:
        host, _, port = served.url.removeprefix("http://").partition(":")
        for _ in range(5):
            with socket.create_connection((host, int(port))) as link:
                link.sendall(b"GET /config HTTP/1.1\r\n")
        assert get(f"{served.url}/config", tmp_path).status == 200
        assert served.end() == 130
    assert "Traceback" not in served.stderr
