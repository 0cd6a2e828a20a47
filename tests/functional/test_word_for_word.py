# SPDX-License-Identifier: Apache-2.0
"""Command lines that people have in their scripts, typed word for word under the name ``ostree``."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from support import trees
from support.certificates import make_certificates
from support.commands import OURS, OURS_PATH, clean_environment
from support.nginx import nginx

REFS = {
    "ostree_repo": "dunfell-am335x-hw26-dev",
    "stable": "dunfell-am335x-nmhw21-vcu",
}


@pytest.fixture
def web(tmp_path):
    """Two repositories on the network, over HTTP and HTTPS; their folder, and the server."""
    root = tmp_path / "http"
    root.mkdir()
    trees.plain_tree(tmp_path / "tree")
    for name, ref in REFS.items():
        repo = f"--repo={root / name}"
        OURS(repo, "init", "--mode=archive")
        OURS(repo, "commit", "-b", ref, f"--tree=dir={tmp_path / 'tree'}")
    certs = make_certificates(tmp_path / "certs")
    with nginx(tmp_path / "nginx", root, certs) as server:
        yield root, server, certs


class Shell:
    """Types lines as a user would, with ``ostree`` on the path and a repository of one's own."""

    def __init__(self, folder: Path) -> None:
        link = folder / "bin" / "ostree"
        link.parent.mkdir()
        link.symlink_to(OURS_PATH)
        self.repo = folder / "mine"
        OURS(f"--repo={self.repo}", "init", "--mode=bare-user-only")
        self._path = link

    def __call__(self, line: str) -> str:
        """Run one line; what it printed."""
        words = shlex.split(line)
        assert words[0] == "ostree"
        done = subprocess.run(
            [str(self._path), *words[1:]],
            env=clean_environment() | {"OSTREE_REPO": str(self.repo)},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        return done.stdout


def test_lines_that_people_type(web, tmp_path):
    root, server, certs = web
    type_line = Shell(tmp_path)
    type_line(f"ostree summary -u --repo={root}/ostree_repo")
    type_line(f"ostree remote add local_repo {server.http}/ostree_repo --no-gpg-verify")
    assert type_line("ostree remote refs local_repo") == "local_repo:dunfell-am335x-hw26-dev\n"
    type_line("ostree pull local_repo:dunfell-am335x-hw26-dev")
    type_line(f"ostree remote add nmrepo-stable {server.https}/stable/ --no-gpg-verify")
    # Their server has a certificate that the system knows; this one does not.
    type_line(f"ostree config set 'remote \"nmrepo-stable\".tls-ca-path' {certs.ca}")
    type_line("ostree pull nmrepo-stable dunfell-am335x-nmhw21-vcu")
    assert set(type_line("ostree refs").split()) == {
        "local_repo:dunfell-am335x-hw26-dev",
        "nmrepo-stable:dunfell-am335x-nmhw21-vcu",
    }
    for name, ref in REFS.items():
        mine = {"ostree_repo": "local_repo", "stable": "nmrepo-stable"}[name]
        theirs = OURS(f"--repo={root / name}", "rev-parse", ref)
        assert type_line(f"ostree rev-parse {mine}:{ref}").strip() == theirs
    assert "no errors found" in type_line("ostree fsck")
