# SPDX-License-Identifier: Apache-2.0
"""``how-to/serve-a-repository.md``: nginx, configured as the page says."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from support.certificates import make_certificates
from support.commands import OURS
from support.nginx import nginx

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/serve-a-repository.md"


def server_of_the_page() -> str:
    """Return the inside of its server block, but for the address, the keys and the root."""
    text = PAGE.read_text()
    found = re.search(r"^    server \{\n(.*?)^    \}$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return re.sub(r"^ *(listen|server_name|ssl_\w+|root) .*\n", "", found[1], flags=re.MULTILINE)


@pytest.fixture
def web(tmp_path):
    """Where a repository ``web`` with two refs is served, and its directory."""
    os.chmod(tmp_path, 0o755)
    (tmp_path / "tree").mkdir()
    repo = f"--repo={tmp_path}/root/web"
    (tmp_path / "root").mkdir()
    OURS("init", repo, "--mode=archive")
    for ref in ("os/tmp/x", "os/state/app.lock"):
        OURS("commit", repo, "-b", ref, f"--tree=dir={tmp_path}/tree")
    certs = make_certificates(tmp_path / "certs")
    with nginx(
        tmp_path / "nginx", tmp_path / "root", certs, settings=server_of_the_page()
    ) as server:
        yield f"{server.http}/web", tmp_path / "root/web"


def get(url: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.headers["Cache-Control"], answer.read()
    except urllib.error.HTTPError as exc:
        return exc.code, "", b""


def test_what_is_served_and_how_long_it_may_be_kept(web):
    url, folder = web
    for private in ("state/x", "tmp/cache/x", ".lock", "o.cookies.txt"):
        path = folder / private
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("private")
        assert get(f"{url}/{private}")[0] == 404
    for ref in ("os/tmp/x", "os/state/app.lock"):
        data = (folder / "refs/heads" / ref).read_bytes()
        assert get(f"{url}/refs/heads/{ref}") == (200, "no-cache", data)
    (dirmeta,) = set(folder.glob("objects/*/*.dirmeta"))
    status, kept, _ = get(f"{url}/{dirmeta.relative_to(folder)}")
    assert (status, "immutable" in kept) == (200, True)
    meta = dirmeta.with_suffix(".commitmeta")
    meta.write_bytes(b"signatures")
    assert get(f"{url}/{meta.relative_to(folder)}")[1] == "no-cache"


def test_what_is_replaced_is_new_at_once(web):
    """A summary beside the signature of another one breaks every signed pull."""
    url, folder = web
    for text in (b"one", b"two"):
        new = folder / "summary.new"
        new.write_bytes(text)
        new.rename(folder / "summary")
        assert get(f"{url}/summary")[2] == text
