# SPDX-License-Identifier: Apache-2.0
"""``how-to/serve-a-repository.md``: nginx and Apache, configured word for word as the page says."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.apache import apache
from support.certificates import Certificates, make_certificates
from support.commands import OURS, PEER, Command
from support.nginx import nginx_with
from support.ports import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/serve-a-repository.md"
SERVERS = {"nginx": (r"server \{", r"\}"), "apache": ("<VirtualHost", "</VirtualHost>")}


@dataclass(frozen=True)
class Web:
    """A server of the page: where ``web`` is, its directory, and what the server logged."""

    url: str
    repo: Path
    log: Path
    certs: Certificates

    def get(self, path: str) -> tuple[int, str, bytes]:
        """Status, ``Cache-Control`` and body of an answer."""
        context = ssl.create_default_context(cafile=self.certs.ca)
        try:
            with urllib.request.urlopen(
                f"{self.url}/{path}", timeout=20, context=context
            ) as answer:
                assert answer.headers["Accept-Ranges"] == "bytes"
                # For Apache a tag is weak in the second after a change.
                assert re.fullmatch('(W/)?"[^"]+"', answer.headers["ETag"])
                return answer.status, answer.headers["Cache-Control"], answer.read()
        except urllib.error.HTTPError as exc:
            return exc.code, "", b""


def block_of_the_page(server: str, port: int, root: Path, certs: Certificates) -> str:
    """Return a server's block, with the machine's own words in place of the page's."""
    first, last = SERVERS[server]
    found = re.search(rf"^    {first}.*?^    {last}$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    text = found[0]
    for theirs, ours in {
        "*:443": f"127.0.0.1:{port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "ostree.example.com": "localhost",
        "/etc/ssl/ostree.pem": str(certs.server),
        "/etc/ssl/ostree.key": str(certs.server_key),
        "/srv/ostree": str(root),
    }.items():
        text = text.replace(theirs, ours)
    assert str(root) in text
    return text


@pytest.fixture(params=SERVERS)
def web(request) -> Iterator[Web]:
    """Where a repository ``web`` with three refs is served."""
    with ExitStack() as stack:
        # Below pytest's own folder nobody but us may read.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chmod(folder, 0o755)
        root = folder / "root"
        (folder / "tree").mkdir()
        (folder / "tree/file").write_bytes(b"text " * 1000)
        root.mkdir()
        repo = f"--repo={root}/web"
        OURS("init", repo, "--mode=archive")
        for ref in ("os/tmp/x", "os/state/app.lock", "main"):
            OURS("commit", repo, "-b", ref, f"--tree=dir={folder}/tree")
        OURS("summary", repo, "--update")
        certs = make_certificates(folder / "certs")
        port = free_port()
        block = block_of_the_page(request.param, port, root, certs)
        if request.param == "nginx":
            stack.enter_context(nginx_with(folder / "server", port, block))
        else:
            stack.enter_context(apache(folder / "server", port, block))
        url = f"https://localhost:{port}/web"
        yield Web(url, root / "web", folder / "server/access.log", certs)


def test_what_is_served_and_how_long_it_may_be_kept(web):
    for private in ("state/x", "tmp/cache/x", ".lock", "o.cookies.txt"):
        path = web.repo / private
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("private")
        assert web.get(private)[0] in {403, 404}
    for folder in ("", "objects/", "refs/heads/"):
        assert web.get(folder)[0] in {403, 404}
    assert web.get("what-is-not-there")[0] == 404
    for ref in ("os/tmp/x", "os/state/app.lock", "main"):
        data = (web.repo / "refs/heads" / ref).read_bytes()
        assert web.get(f"refs/heads/{ref}") == (200, "no-cache", data)
    (dirmeta,) = set(web.repo.glob("objects/*/*.dirmeta"))
    status, kept, _ = web.get(str(dirmeta.relative_to(web.repo)))
    assert (status, "immutable" in kept) == (200, True)
    meta = dirmeta.with_suffix(".commitmeta")
    meta.write_bytes(b"signatures")
    assert web.get(str(meta.relative_to(web.repo)))[1] == "no-cache"


def test_what_is_replaced_is_new_at_once(web):
    """A summary beside the signature of another one breaks every signed pull."""
    for text in (b"one", b"two"):
        new = web.repo / "summary.new"
        new.write_bytes(text)
        new.rename(web.repo / "summary")
        assert web.get("summary")[2] == text


@pytest.mark.parametrize("tool", [OURS, PEER], ids=["ours", "peer"])
def test_a_pull(web, tmp_path, tool: Command):
    if not tool.path.exists():
        pytest.skip("needs ostree")
    client = f"--repo={tmp_path}/client"
    tool("init", client, "--mode=bare-user")
    ca = f"--set=tls-ca-path={web.certs.ca}"
    tool("remote", "add", client, "origin", web.url, "--no-gpg-verify", ca)
    tool("pull", client, "origin", "main", "os/state/app.lock")
    OURS("fsck", client)
    assert tool("rev-parse", client, "origin:main").strip() == (
        (web.repo / "refs/heads/main").read_text().strip()
    )
    lines = web.log.read_text().splitlines()
    assert lines
    assert all("HTTP/2.0" in line for line in lines)
