# SPDX-License-Identifier: Apache-2.0
"""garage-push and garage-check at our treehub, and who reads what they brought there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import zipfile
from pathlib import Path

from demo_ota import BOARD
from peer_checks import Unexpected, expect, expect_so
from peer_lab import Lab

_FILES = 300
_SEED = 7


def make_tree(lab: Lab, name: str, *, changed: int = 0) -> str:
    """Commit a tree of some hundred files to a repository of its own; return the checksum."""
    top = lab.work / "pushes"
    tree = top / name
    shutil.rmtree(tree, ignore_errors=True)
    # Not for keys, but the same in each run.
    source = random.Random(_SEED)
    for number in range(_FILES):
        folder = tree / f"usr/share/{number % 17}"
        folder.mkdir(parents=True, exist_ok=True)
        data = source.randbytes(source.randrange(20000))
        extra = b"changed" if number < changed else b""
        (folder / f"file {number}").write_bytes(data + extra)
    (tree / "usr/share/link").symlink_to("0/file 0")
    (tree / "usr/share/empty").touch()
    os.link(tree / "usr/share/0/file 0", tree / "usr/share/hard")
    (tree / "usr/share/program").write_text("#!/bin/sh\n")
    (tree / "usr/share/program").chmod(0o4755)
    repo = f"--repo={top}/repo"
    if not (top / "repo").exists():
        lab.run(repo, "init", "--mode=archive")
    said = lab.run(
        repo, "commit", f"--branch=push/{name}", f"--tree=dir={tree}",
        "--owner-uid=0", "--owner-gid=0", "--no-xattrs", f"--subject={name}",
        "--timestamp=2026-01-15 09:00:00 +0000",
    )  # fmt: skip
    return said.strip()


def push(lab: Lab, ref: str, credentials: Path, *words: str, fails: bool = False) -> str:
    """Have garage-push bring a ref to the server."""
    return lab.peer(
        "garage-push", "--repo", lab.work / "pushes/repo", "--ref", ref, "--credentials",
        credentials, "--cacert", lab.work / "server/ca/ca.pem", *words, fails=fails,
    )  # fmt: skip


def objects(folder: Path) -> dict[str, str]:
    """Each object of a repository, and what its bytes are."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "objects").rglob("*")
        if path.is_file()
    }


def head(lab: Lab, ref: str) -> str:
    """What a ref of the server's treehub says."""
    return lab.run(f"--repo={lab.work}/server/treehub", "rev-parse", ref).strip()


def by_certificate(lab: Lab) -> str:
    """garage-push takes the credentials.zip for tools, whose certificate it shows."""
    checksum = make_tree(lab, "first")
    said = push(lab, "push/first", lab.credentials("credentials"))
    expect(head(lab, "push/first"), checksum, "the ref")
    lab.run("fsck", f"--repo={lab.work}/server/treehub")
    (line,) = [line for line in said.splitlines() if "HEAD requests" in line]
    return line.split("complete ")[-1].rstrip(".")


def by_password(lab: Lab) -> str:
    """treehub.json alone does, with its user and password."""
    checksum = make_tree(lab, "second", changed=20)
    with zipfile.ZipFile(lab.credentials("credentials")) as archive:
        archive.extract("treehub.json", lab.work / "pushes")
    push(lab, "push/second", lab.work / "pushes/treehub.json")
    expect(head(lab, "push/second"), checksum, "the ref")
    return "basic authentication"


def with_targets_key(lab: Lab) -> str:
    """So does the zip that has a key of Targets too, of a server that holds its keys itself."""
    other = Lab(lab.work / "with-keys", lab.program_folder)
    other.keeps_keys = True
    other.make_server()
    with other.served():
        checksum = make_tree(other, "third")
        push(other, "push/third", other.credentials("signing", "--targets-key"))
        expect(head(other, "push/third"), checksum, "the ref")
        with zipfile.ZipFile(other.work / "signing.zip") as archive:
            expect_so("targets.sec" in archive.namelist(), "the zip has the key")
    return "pushed with it"


def pulled_by_ostree(lab: Lab) -> str:
    """Ostree pulls it from the gateway, as a device does, and verifies it."""
    top = lab.work / "pulls/ostree"
    repo = f"--repo={top}"
    tool(lab, "ostree", repo, "init", "--mode=bare-user")
    words = [word.removeprefix("--set=") for word in remote(lab)]
    options = [f"--set={word}" for word in words]
    url = f"https://127.0.0.1:{lab.ports[0]}/treehub"
    tool(lab, "ostree", repo, "remote", "add", "--no-gpg-verify", *options, "fleet", url)
    tool(lab, "ostree", repo, "pull", "fleet", "push/first", "push/second")
    tool(lab, "ostree", repo, "fsck")
    found = tool(lab, "ostree", repo, "rev-parse", "fleet:push/first").strip()
    expect(found, head(lab, "push/first"), "the ref")
    return "both refs; fsck finds nothing"


def pulled_by_ours(lab: Lab) -> str:
    """So does ostrya."""
    repo = f"--repo={lab.work}/pulls/ostrya"
    (lab.work / "pulls").mkdir(exist_ok=True)
    lab.run(repo, "init", "--mode=bare-user")
    url = f"https://127.0.0.1:{lab.ports[0]}/treehub"
    lab.run(repo, "remote", "add", "--no-gpg-verify", *remote(lab), "fleet", url)
    lab.run(repo, "pull", "fleet", "push/first", "push/second")
    lab.run("fsck", repo)
    return "both refs; fsck finds nothing"


def remote(lab: Lab) -> list[str]:
    """Settings of a remote, for who speaks to the gateway with a device's certificate."""
    folder = lab.work / "own/import"
    return [
        f"--set=tls-ca-path={folder}/ca.pem", f"--set=tls-client-cert-path={folder}/client.pem",
        f"--set=tls-client-key-path={folder}/client.key",
    ]  # fmt: skip


def same_as_ours(lab: Lab) -> str:
    """`ostrya push` leaves the same bytes on another server, and nothing to do for garage-push."""
    other = Lab(lab.work / "other", lab.program_folder)
    other.make_server()
    with other.served():
        credentials = other.credentials("credentials")
        for name in ("first", "second"):
            make_tree(other, name, changed=20 if name == "second" else 0)
            words = (f"--repo={other.work}/pushes/repo", "push", credentials, f"push/{name}")
            other.run(*words)
        said = push(other, "push/second", credentials, "--walk-tree")
    expect_so("and 0 PUT requests" in said, "garage-push has nothing to send")
    mine, theirs = (objects(one.work / "pushes/repo") for one in (other, lab))
    expect_so(mine.keys() == theirs.keys(), "both pushed the same commits")
    ours = objects(other.work / "server/treehub")
    pushed = {name: objects(lab.work / "server/treehub").get(name) for name in ours}
    expect_so(pushed == ours, "what is at both servers")
    return f"{len(ours)} objects, byte for byte; garage-push --walk-tree finds all of them"


def nothing_left_for_ours(lab: Lab) -> str:
    """`ostrya push` finds what garage-push brought, and sends nothing."""
    repo = f"--repo={lab.work}/pushes/repo"
    said = lab.run(
        repo, "push", lab.credentials("credentials"), "push/first", "--recheck", "--json"
    )
    found = json.loads(said)
    # The commit itself is offered again, as --recheck asks for.
    sent = [found[kind] for kind in ("content", "detached", "bytes")]
    expect(sent, [0, 0, 0], "what is sent")
    return "every object is there"


def dry_run(lab: Lab) -> str:
    """garage-push --dry-run changes nothing."""
    make_tree(lab, "dry", changed=40)
    before = objects(lab.work / "server/treehub")
    push(lab, "push/dry", lab.credentials("credentials"), "--dry-run")
    expect_so(objects(lab.work / "server/treehub") == before, "the treehub is as it was")
    return "the treehub is as it was"


def moves_back(lab: Lab) -> str:
    """garage-push moves a ref to commits of another line, as it always asks for that."""
    repo = f"--repo={lab.work}/pushes/repo"
    first = lab.run(repo, "rev-parse", "push/first").strip()
    lab.run(repo, "refs", "--create=push/moved", "push/second")
    push(lab, "push/moved", lab.credentials("credentials"))
    lab.run(repo, "refs", "--force", "--create=push/moved", first)
    push(lab, "push/moved", lab.credentials("credentials"))
    expect(head(lab, "push/moved"), first, "the ref")
    return "moved"


def by_checksum(lab: Lab) -> str:
    """garage-push of a checksum brings a commit without a ref."""
    checksum = make_tree(lab, "bare", changed=60)
    push(lab, checksum, lab.credentials("credentials"))
    lab.run(f"--repo={lab.work}/server/treehub", "show", checksum)
    return "the commit is there"


def detached_metadata(lab: Lab) -> str:
    """Signatures come along, and are verified by who pulls."""
    repo = f"--repo={lab.work}/pushes/repo"
    lab.run("keygen", lab.work / "vendor")
    checksum = make_tree(lab, "signed", changed=80)
    secret = f"--keys-file={lab.work}/vendor.secret"
    lab.run(repo, "sign", "--sign-type=ed25519", secret, checksum)
    push(lab, "push/signed", lab.credentials("credentials"))
    target = f"--repo={lab.work}/pulls/ostrya"
    url = f"https://127.0.0.1:{lab.ports[0]}/treehub"
    key = f"--sign-verify=ed25519=file:{lab.work}/vendor.public"
    lab.run(target, "remote", "add", "--no-gpg-verify", key, *remote(lab), "signed", url)
    lab.run(target, "pull", "signed", "push/signed")
    return "a commit signed by ed25519, pulled and verified"


def repo_manifest(lab: Lab) -> str:
    """What a build was made of is kept beside its commit."""
    path = lab.work / "pushes/manifest.xml"
    path.write_text('<manifest><project name="layer" revision="abc"/></manifest>')
    push(lab, "push/first", lab.credentials("credentials"), "--repo-manifest", str(path))
    checksum = head(lab, "push/first")
    paths = (lab.work / "server").rglob(f"*{checksum}*")
    found = [path for path in paths if "objects" not in path.parts]
    expect([json.loads(one.read_text()) != {} for one in found], [True], "manifests")
    return f"{found[0].relative_to(lab.work / 'server').parent}"


def checked(lab: Lab) -> str:
    """garage-check finds a commit in the treehub and in the Image repository's Targets."""
    lab.run(
        "ota", "targets", "add", f"--dir={lab.updates}", f"--commit={head(lab, 'push/first')}",
        "--name=pushed", f"--hardware-id={BOARD}",
    )  # fmt: skip
    lab.release()
    words = ("--credentials", lab.credentials("credentials"), "--cacert")
    authority = lab.work / "server/ca/ca.pem"
    lab.peer("garage-check", "--ref", head(lab, "push/first"), *words, authority)
    lab.peer("garage-check", "--ref", head(lab, "push/first"), *words, authority, "--walk-tree")
    absent = ("--ref", "0" * 64, *words, authority)
    lab.peer("garage-check", *absent, fails=True)
    return "found, whole; what is not there is not found"


def withdrawn(lab: Lab) -> str:
    """Credentials that were withdrawn push no more."""
    credentials = lab.credentials("leaked", "--name=leaked")
    lab.fleet_verb("token", "revoke", "leaked")
    make_tree(lab, "late", changed=90)
    before = objects(lab.work / "server/treehub")
    push(lab, "push/late", credentials, fails=True)
    expect_so(objects(lab.work / "server/treehub") == before, "the treehub is as it was")
    return "refused by garage-push's own words, nothing was taken"


def tool(lab: Lab, *words: str) -> str:
    """Run a program that is installed here."""
    lab.console.print(f"   $ {' '.join(words)}", markup=False)
    Path(lab.work / "pulls").mkdir(exist_ok=True)
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise Unexpected(f"{words[0]} ends with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
