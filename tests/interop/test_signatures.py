# SPDX-License-Identifier: Apache-2.0
"""Signatures of ours before other eyes: Debian's ostree, gpgv and openssl; and theirs before ours."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import tarfile
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta, with_signatures
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.reader import load_commit_bytes
from ostrya.repo.repository import open_repository
from ostrya.repo.signing import commit_signatures, verify_commit
from ostrya.sign.ed25519 import Ed25519Verifier
from ostrya.sign.errors import (
    BadSignature,
    KeyExpired,
    KeyRevoked,
    SignatureExpired,
    UntrustedKey,
)
from ostrya.sign.gpg import GpgVerifier
from ostrya.sign.gpg_home import Keyrings
from ostrya.sign.matching import TrustedKeys
from ostrya.sign.spki import SpkiVerifier
from support.commands import OURS, OURS_PATH, PEER, PEER_PATH, clean_environment, have
from support.gpg_keys import PAST, gpg_user

SUITE = Path("/usr/libexec/installed-tests/libostree")
TOOLS = [OURS, PEER]
NAMES = ["ours", "peer"]


@pytest.fixture(scope="module")
def people():
    with gpg_user() as user:
        yield user, user.make_key("One <one@example.org>"), user.make_key("two@example.org")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/file").write_text("content\n")
    return tmp_path / "tree"


def told_of(folder: Path, **variables: str) -> list:
    """Both tools, with a directory of trusted keyrings."""
    more = {"OSTREE_GPG_HOME": str(folder), **variables}
    return [replace(tool, env=more) for tool in TOOLS]


def on_a_terminal(command: Path, *args: object) -> list[str]:
    """What a command shows, without blank lines and what moves the cursor."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [command, *map(str, args)], stdin=its, stdout=its, stderr=its, env=clean_environment()
    )
    os.close(its)
    shown = b""
    # Once nobody has the other end, there is an error instead of an end.
    with suppress(OSError):
        while data := os.read(ours, 4096):
            shown += data
    os.close(ours)
    assert process.wait(30) == 0, shown
    text = re.sub(r"\x1b[78]|\r", "", shown.decode())
    return [line.rstrip() for line in text.split("\n") if line.strip()]


@pytest.mark.peer
def test_both_tell_a_terminal_who_signed_what_was_pulled(tmp_path, tree, people):
    user, one, two = people
    source, home = f"--repo={tmp_path}/source", f"--gpg-homedir={user.home}"
    PEER("init", source, "--mode=archive")
    PEER(
        "commit", source, "-b", "main", home, f"--gpg-sign={one}", f"--gpg-sign={two}",
        f"--tree=dir={tree}",
    )  # fmt: skip
    PEER("summary", source, "-u")
    keys = tmp_path / "keys.gpg"
    keys.write_bytes(user.export(one))
    named_ostree = tmp_path / "ostree"
    named_ostree.symlink_to(OURS_PATH)
    seen = {}
    for number, command in enumerate((PEER_PATH, named_ostree, OURS_PATH)):
        repo = f"--repo={tmp_path}/{number}"
        PEER("init", repo, "--mode=archive")
        url = f"file://{tmp_path}/source"
        PEER("remote", repo, "add", f"--gpg-import={keys}", "o", url)
        found = seen[command] = on_a_terminal(command, "pull", repo, "o", "main")
        assert found[-1].startswith("3 metadata, ")
        piped = PEER if command == PEER_PATH else OURS
        assert len(piped("pull", repo, "o", "main").splitlines()) == 1
    assert seen[named_ostree][:-1] == seen[PEER_PATH][:-1]
    assert seen[PEER_PATH][0] == "GPG: Verification enabled, found 2 signatures:"
    commit = PEER("rev-parse", source, "main")
    assert seen[OURS_PATH][0] == f"Commit {commit}: found 2 signatures:"
    assert seen[OURS_PATH][1:-1] == seen[PEER_PATH][1:-1]


# ----------------------------------------------------------------------------- OpenPGP


@pytest.mark.peer
@pytest.mark.parametrize("signer", TOOLS, ids=NAMES)
def test_both_say_the_same_of_a_commit(tmp_path, tree, people, signer):
    user, one, two = people
    repo, home = f"--repo={tmp_path}/repo", f"--gpg-homedir={user.home}"
    signer("init", repo, "--mode=archive")
    signer("commit", repo, "-b", "main", home, f"--gpg-sign={one}", f"--tree=dir={tree}")
    signer("gpg-sign", repo, home, "main", two)
    signer("summary", repo, "-u", home, f"--gpg-sign={one}")
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    for keys in ((), (one,), (one, two)):
        if keys:
            (trusted / "keys.gpg").write_bytes(user.export(*keys))
        shown = [tool("show", repo, "main") for tool in told_of(trusted)]
        assert shown[0] == shown[1]
        assert shown[0].count("Good signature") == len(keys)
    (deleter,) = [tool for tool in told_of(trusted) if tool.name == signer.name]
    assert deleter("gpg-sign", repo, "--delete", "main", two) == "Signatures deleted: 1"
    counts = ["Signatures deleted: 0"] * 2
    assert [tool("gpg-sign", repo, "--delete", "main", two) for tool in told_of(trusted)] == counts
    for tool in told_of(trusted):
        assert "Found 1 signature" in tool("show", repo, "main")
        assert "already signed" in tool.fails("gpg-sign", repo, home, "main", one)


@pytest.mark.peer
def test_both_say_the_same_of_a_remote_s_summary(tmp_path, tree, people):
    user, one, two = people
    repo, home = f"--repo={tmp_path}/repo", f"--gpg-homedir={user.home}"
    PEER("init", repo, "--mode=archive")
    PEER("commit", repo, "-b", "main", f"--tree=dir={tree}")
    PEER("summary", repo, "-u", home, f"--gpg-sign={one}", f"--gpg-sign={two}")
    client = f"--repo={tmp_path}/client"
    PEER("init", client, "--mode=archive")
    (tmp_path / "keys.gpg").write_bytes(user.export(two))
    add = ("remote", "add", client, f"--gpg-import={tmp_path}/keys.gpg")
    for verify, signatures in (("true", 2), ("false", 0)):
        setting = f"--set=gpg-verify-summary={verify}"
        PEER(*add, "--force", setting, "o", f"file://{tmp_path}/repo")
        shown = [tool("remote", "summary", client, "o") for tool in TOOLS]
        assert shown[0] == shown[1]
        assert shown[0].count("Signature made") == signatures
        raw = [tool("remote", "summary", "--raw", client, "o") for tool in TOOLS]
        assert raw[0] == raw[1]


@pytest.mark.peer
def test_both_say_the_same_of_bad_signatures(tmp_path, tree, people):
    user, one, _ = people
    repo, home = f"--repo={tmp_path}/repo", f"--gpg-homedir={user.home}"
    OURS("init", repo, "--mode=archive")
    commits = {}
    for name in ("good", "tampered"):
        (tree / "file").write_text(name)
        sign = (home, f"--gpg-sign={one}") if name == "good" else ()
        commits[name] = OURS("commit", repo, "-b", name, *sign, f"--tree=dir={tree}")
    paths = {
        name: tmp_path / "repo/objects" / loose_path(
            ObjectName(Checksum(commit), ObjectType.COMMIT_META), archive=False
        )
        for name, commit in commits.items()
    }  # fmt: skip
    paths["tampered"].write_bytes(paths["good"].read_bytes())
    expired = user.make_key("Old <old@example.org>", "1d", at=PAST)
    steady = user.make_key("Steady <steady@example.org>", at=PAST)
    revoked = user.make_key("Gone <gone@example.org>")
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "keys.gpg").write_bytes(user.export())
    shown = [tool("show", repo, "tampered") for tool in told_of(trusted)]
    assert shown[0] == shown[1]
    assert 'BAD signature from "One <one@example.org>"' in shown[0]
    data = load(tmp_path / "repo", commits["good"])
    append = [
        user.sign(expired, data, f"--faked-system-time={PAST}"),
        user.sign(steady, data, f"--faked-system-time={PAST}", "--default-sig-expire=1d"),
        user.sign(revoked, data),
    ]
    user.revoke(revoked)
    (trusted / "keys.gpg").write_bytes(user.export())
    metadata = decode_commitmeta(paths["good"].read_bytes())
    for signature in append:
        changed = with_signatures(metadata, "ostree.gpgsigs", (signature,))
        paths["good"].write_bytes(encode_commitmeta(changed))
        shown = [tool("show", repo, "good") for tool in told_of(trusted)]
        assert shown[0] == shown[1]
        assert "Good" not in shown[0]


def load(repo: Path, commit: str) -> bytes:
    with open_repository(str(repo)) as opened:
        return load_commit_bytes(opened, Checksum(commit))


@pytest.mark.peer
@pytest.mark.parametrize("importer", TOOLS, ids=NAMES)
def test_keyrings_of_remotes(tmp_path, people, importer):
    user, one, two = people
    repo = f"--repo={tmp_path}/repo"
    importer("init", repo, "--mode=archive")
    importer("remote", "add", repo, "R", "http://r")
    (tmp_path / "keys.asc").write_bytes(user.export(one, two, armored=True))
    source = f"--keyring={tmp_path}/keys.asc"
    said = importer("remote", "gpg-import", repo, source, "R", one)
    assert said == 'Imported 1 GPG key to remote "R"'
    other = PEER if importer is OURS else OURS
    said = other("remote", "gpg-import", repo, source, "R")
    assert said == 'Imported 1 GPG key to remote "R"'
    listed = [tool("remote", "gpg-list-keys", repo, "R") for tool in TOOLS]
    assert listed[0] == listed[1]
    assert listed[0].count("Key: ") == 2


def test_gpgv_accepts_ours(tmp_path, tree, people):
    if not have("gpgv"):
        pytest.skip("needs gpgv")
    user, one, _ = people
    repo = f"--repo={tmp_path}/repo"
    OURS("init", repo, "--mode=archive")
    sign = (f"--gpg-homedir={user.home}", f"--gpg-sign={one}")
    commit = OURS("commit", repo, "-b", "main", *sign, f"--tree=dir={tree}")
    with open_repository(str(tmp_path / "repo")) as opened:
        (signature,) = commit_signatures(opened, Checksum(commit), "ostree.gpgsigs")
        (tmp_path / "data").write_bytes(load_commit_bytes(opened, Checksum(commit)))
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "keys.gpg").write_bytes(user.export(one))
    words = ["gpgv", "--keyring", tmp_path / "keys.gpg", tmp_path / "sig", tmp_path / "data"]
    subprocess.run(words, check=True, capture_output=True)


@pytest.mark.skipif(not SUITE.is_dir(), reason="needs Debian's ostree-tests")
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("lgpl2.sig0", None),
        ("lgpl2.sig1", KeyExpired),
        ("lgpl2.sig2", KeyRevoked),
        ("lgpl2.sig3", UntrustedKey),
        ("lgpl2.sig4", SignatureExpired),
    ],
)
def test_signatures_of_the_suite(name, error):
    if not have("gpg"):
        pytest.skip("needs gpg and gpg-agent")
    folder = SUITE / "gpg-verify-data"
    verifier = GpgVerifier(Keyrings((("ring", (folder / "pubring.gpg").read_bytes()),)))
    data, signature = (folder / "lgpl2").read_bytes(), (folder / name).read_bytes()
    if error is None:
        assert "Good signature from" in verifier.verify(data, [signature])
        with pytest.raises(BadSignature):
            verifier.verify(data[:-1], [signature])
    else:
        with pytest.raises(error):
            verifier.verify(data, [signature])


# ------------------------------------------------------------------- ed25519 and spki


@pytest.mark.skipif(not SUITE.is_dir(), reason="needs Debian's ostree-tests")
def test_ed25519_signatures_of_the_suite(tmp_path):
    with tarfile.open(SUITE / "pre-signed-pull-data.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    script = (SUITE / "test-pre-signed-pull.sh").read_text().splitlines()
    (line,) = [line for line in script if line.startswith("pubkey=")]
    key = b64decode(line.partition("=")[2].strip("'"))
    verifier = Ed25519Verifier(TrustedKeys((key,)))
    (repo,) = [path.parent for path in tmp_path.rglob("config") if path.is_file()]
    with open_repository(str(repo)) as opened:
        heads = [p.read_text().strip() for p in (repo / "refs/heads").rglob("*") if p.is_file()]
        assert heads
        for head in heads:
            assert verify_commit(opened, Checksum(head), verifier).endswith(f"'{key.hex()}'")


def openssl(*words: object, data: bytes | None = None) -> bytes:
    argv = ["openssl", *map(str, words)]
    return subprocess.run(argv, input=data, check=True, capture_output=True).stdout


KINDS = {
    "ed25519": ("ed25519",),
    "ed448": ("ed448",),
    "rsa": ("rsa", "-pkeyopt", "rsa_keygen_bits:2048"),
    "p256": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_accepts_our_spki_and_we_accept_its(tmp_path, tree, kind):
    if not have("openssl"):
        pytest.skip("needs openssl")
    secret, public = tmp_path / "secret.pem", tmp_path / "public.pem"
    openssl("genpkey", "-algorithm", *KINDS[kind], "-out", secret)
    openssl("pkey", "-in", secret, "-pubout", "-out", public)
    repo = f"--repo={tmp_path}/repo"
    OURS("init", repo, "--mode=archive")
    sign = ("--sign-type=spki", f"--sign-from-file={secret}")
    commit = OURS("commit", repo, "-b", "main", *sign, f"--tree=dir={tree}")
    verify = ("sign", repo, "--sign-type=spki", "--verify", "main")
    assert OURS(*verify, f"--keys-file={public}").startswith("spki: Signature verified")
    with open_repository(str(tmp_path / "repo")) as opened:
        (signature,) = commit_signatures(opened, Checksum(commit), "ostree.sign.spki")
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "data").write_bytes(load(tmp_path / "repo", commit))
    # Keys of Edwards curves take the data as it is, others its digest.
    how = ("-rawin",) if kind.startswith("ed") else ("-rawin", "-digest", "sha256")
    files = ("-in", tmp_path / "data")
    openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", public, "-sigfile", tmp_path / "sig", *files, *how
    )
    made = openssl("pkeyutl", "-sign", "-inkey", secret, *files, *how)
    der = openssl("pkey", "-pubin", "-in", public, "-outform", "DER")
    data = (tmp_path / "data").read_bytes()
    assert SpkiVerifier(TrustedKeys((der,))).verify(data, [made])
    text = b64encode(der).decode()
    assert OURS(*verify, text).startswith("spki: Signature verified")


def test_openssl_accepts_our_ed25519(tmp_path, tree):
    if not have("openssl"):
        pytest.skip("needs openssl")
    secret, public = tmp_path / "secret.pem", tmp_path / "public.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", secret)
    openssl("pkey", "-in", secret, "-pubout", "-out", public)
    seed = openssl("pkey", "-in", secret, "-outform", "DER")[-32:]
    raw = openssl("pkey", "-pubin", "-in", public, "-outform", "DER")[-32:]
    repo = f"--repo={tmp_path}/repo"
    OURS("init", repo, "--mode=archive")
    key = b64encode(seed + raw).decode()
    commit = OURS("commit", repo, "-b", "main", f"--sign={key}", f"--tree=dir={tree}")
    with open_repository(str(tmp_path / "repo")) as opened:
        (signature,) = commit_signatures(opened, Checksum(commit), "ostree.sign.ed25519")
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "data").write_bytes(load(tmp_path / "repo", commit))
    openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", public, "-sigfile", tmp_path / "sig",
        "-in", tmp_path / "data", "-rawin",
    )  # fmt: skip
