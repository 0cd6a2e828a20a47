# SPDX-License-Identifier: Apache-2.0
"""What we push, Debian's ``ostree`` pulls and finds sound: from directories, S3, sftp and a treehub."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command
from support.s3 import BUCKET, CREDENTIALS, S3Server, dump
from support.sshd import SshServer
from support.treehub import Treehub

pytestmark = pytest.mark.peer
MODES = ("archive", "bare-user", "bare-user-only")
TO_S3 = Command(OURS.path, "ours", env=CREDENTIALS)


@pytest.fixture(params=MODES)
def source(request, tmp_path) -> Path:
    """Two commits: every kind of object, some of them large."""
    tree = tmp_path / "tree"
    trees.write(tree / "usr/bin/hello", b"hello\n", 0o755)
    trees.write(tree / "usr/lib/large.so", trees.seeded_bytes(5_000_000, 1))
    trees.write(tree / "etc/conf", b"key=value\n" * 50)
    trees.write(tree / "etc/empty")
    (tree / "link").symlink_to("usr/bin/hello")
    for number in range(60):
        trees.write(tree / f"many/{number % 7}/{number}", f"file {number}\n".encode())
    repo = tmp_path / "source"
    OURS("init", f"--repo={repo}", f"--mode={request.param}")
    commit(repo, tree, "first")
    trees.write(tree / "etc/conf", b"key=other\n" * 50)
    commit(repo, tree, "second")
    return repo


def commit(repo: Path, tree: Path, subject: str) -> str:
    return OURS(
        f"--repo={repo}", "commit", "-b", "os/stable", "-s", subject,
        "--canonical-permissions", tree,
    )  # fmt: skip


def require_pulled(url: str | Path, tmp_path: Path, source: Path, *options: str) -> None:
    """Let the peer pull a ref, all of its history, and look at every object."""
    repo = tmp_path / "pulled"
    PEER("init", f"--repo={repo}", "--mode=bare-user")
    PEER("remote", "add", f"--repo={repo}", "--no-gpg-verify", "origin", url)
    PEER("pull", f"--repo={repo}", *options, "origin", "os/stable")
    PEER("fsck", f"--repo={repo}")
    tip = PEER("rev-parse", f"--repo={repo}", "origin:os/stable")
    assert tip == OURS(f"--repo={source}", "rev-parse", "os/stable")
    OURS(f"--repo={repo}", "fsck", "-q")


@pytest.mark.parametrize("target_mode", [None, "archive", "bare-user"])
def test_to_a_directory(source, tmp_path, target_mode):
    out = tmp_path / "out"
    if target_mode is not None:
        PEER("init", f"--repo={out}", f"--mode={target_mode}")
    OURS(f"--repo={source}", "push", "--depth=-1", "--summary", out, "os/stable")
    PEER("fsck", f"--repo={out}")
    assert "os/stable" in PEER("summary", f"--repo={out}", "-v")
    if target_mode != "bare-user":
        require_pulled(f"file://{out}", tmp_path, source, "--depth=-1")


def test_to_s3(source, tmp_path):
    with S3Server() as server:

        def push(*options: str) -> str:
            return TO_S3(
                f"--repo={source}", "push", f"s3://{BUCKET}/a/repo", "os/stable",
                f"--endpoint-url={server.endpoint}", *options,
            )  # fmt: skip

        OURS(f"--repo={source}", "refs", "--create=keep", "os/stable")
        OURS(f"--repo={source}", "reset", "os/stable", "os/stable^")
        assert "(new)" in push("--summary")
        OURS(f"--repo={source}", "reset", "os/stable", "keep")
        assert "(fast-forward)" in push()
        assert "(unchanged)" in push()
        require_pulled(server.publish("a/repo"), tmp_path, source, "--depth=-1")
        out = dump(server.store("a/repo"), tmp_path / "dumped")
        PEER("fsck", f"--repo={out}")
        assert "os/stable" in PEER("summary", f"--repo={out}", "-v")
        line = TO_S3(
            "prune", f"--repo=s3://{BUCKET}/a/repo", f"--endpoint-url={server.endpoint}",
            "--refs-only", "--depth=0", "--grace=0",
        )  # fmt: skip
        assert "Deleted " in line
        out = dump(server.store("a/repo"), tmp_path / "pruned")
        PEER("fsck", f"--repo={out}")
        assert len(list((out / "objects").glob("*/*.commit"))) == 1


def test_over_sftp(source, tmp_path):
    (tmp_path / "ssh").mkdir()
    with SshServer(tmp_path / "ssh") as server:
        out = tmp_path / "srv/trees/repo"

        def push(*options: str) -> str:
            return OURS(
                f"--repo={source}", "push", server.address(out), "os/stable",
                *server.arguments, *options,
            )  # fmt: skip

        assert "(new)" in push("--summary", "--depth=-1")
        assert "(unchanged)" in push()
        PEER("fsck", f"--repo={out}")
        assert "os/stable" in PEER("summary", f"--repo={out}", "-v")
        require_pulled(f"file://{out}", tmp_path, source, "--depth=-1")
        # What the peer commits there is not overwritten.
        theirs = tmp_path / "theirs"
        trees.write(theirs / "file", b"theirs\n")
        PEER("commit", f"--repo={out}", "-b", "os/stable", f"--tree=dir={theirs}")
        done = OURS.run(
            f"--repo={source}", "push", server.address(out), "os/stable", *server.arguments
        )
        assert done.returncode == 20
        assert b"no ancestor" in done.stderr
        assert "(forced)" in push("--force")


def test_over_ssh_that_lets_nobody_in(source, tmp_path):
    (tmp_path / "ssh").mkdir()
    with SshServer(tmp_path / "ssh") as server:
        (tmp_path / "ssh/authorized_keys").write_text("")
        message = OURS.fails(
            f"--repo={source}", "push", server.address(tmp_path / "x"), "os/stable",
            *server.arguments,
        )  # fmt: skip
    assert "Permission denied" in message
    assert "cannot speak sftp with 127.0.0.1" in message


@pytest.mark.parametrize("auth", ["", "oauth2"])
def test_to_a_treehub(source, tmp_path, auth):
    credentials = tmp_path / "treehub.json"
    with Treehub(tmp_path / "hub", auth=auth) as hub:
        credentials.write_text(json.dumps(hub.credentials()))
        OURS(
            f"--repo={source}", "push", "--depth=-1", hub.url, "os/stable",
            f"--credentials={credentials}",
        )  # fmt: skip
        PEER("fsck", f"--repo={hub.folder}")
        if not auth:
            require_pulled(hub.url, tmp_path, source, "--depth=-1")
    require_pulled_from_folder(hub.folder, tmp_path, source)


def require_pulled_from_folder(folder: Path, tmp_path: Path, source: Path) -> None:
    repo = tmp_path / "from-folder"
    PEER("init", f"--repo={repo}", "--mode=archive")
    tip = OURS(f"--repo={source}", "rev-parse", "os/stable")
    PEER("pull-local", f"--repo={repo}", folder, tip)
    PEER("fsck", f"--repo={repo}")


def test_signatures_are_verified_by_whoever_pulls(source, tmp_path):
    """Signed here, pushed with the commit, and demanded by a repository that pulls."""
    key = tmp_path / "key"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-outform", "DER", "-out", key], check=True
    )
    from base64 import b64encode

    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_private_key,
    )

    private = load_der_private_key(key.read_bytes(), None)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    secret = b64encode(private.private_bytes_raw() + public).decode()
    OURS(f"--repo={source}", "sign", "os/stable", secret)
    out, pulled = tmp_path / "out", tmp_path / "pulled"
    OURS(f"--repo={source}", "push", out, "os/stable", f"--sign={secret}")
    OURS("init", f"--repo={pulled}", "--mode=archive")
    OURS(
        "remote", "add", f"--repo={pulled}", "origin", f"file://{out}",
        f"--sign-verify=ed25519=inline:{b64encode(public).decode()}", "--no-gpg-verify",
        "--set=sign-verify-summary=true",
    )  # fmt: skip
    OURS("pull", f"--repo={pulled}", "origin", "os/stable")
    assert (out / "summary.sig").exists()
