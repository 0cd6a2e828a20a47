# SPDX-License-Identifier: Apache-2.0
"""python-tuf and ours: each follows the repositories of the other, and verifies its signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import (
    DownloadHTTPError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import (
    DelegatedRole as TheirRole,
)
from tuf.api.metadata import (
    Delegations as TheirDelegations,
)
from tuf.api.metadata import (
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.ngclient import FetcherInterface, Updater

from ostrya.uptane import trusted_set
from ostrya.uptane.delegation_search import Question, find_image
from ostrya.uptane.errors import (
    MetadataExpired,
    MetadataMismatch,
    RollbackDetected,
    TargetNotFound,
    ThresholdNotMet,
)
from ostrya.uptane.full_verification import refresh_image
from ostrya.uptane.metadata import delegations as ours
from ostrya.uptane.metadata import targets as our_targets
from ostrya.uptane.metadata.canonical_json import canonical_bytes
from ostrya.uptane.metadata.delegations import Delegations
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.file_names import image_file
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.keys import tuf_key_id
from ostrya.uptane.metadata.secret_keys import in_dialect
from ostrya.uptane.metadata.signed import RoleKeys, parse_envelope, signers
from ostrya.uptane.steps import run_steps
from support.commands import OURS
from support.uptane_world import NOW, ROLES, image, key, make_repo, rsa_key

FAR = datetime(2999, 1, 1, tzinfo=UTC)
TOP_ROLES = ("root", "timestamp", "snapshot", "targets")


class Memory(FetcherInterface):
    """Serves files out of a dictionary."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def _fetch(self, url: str):
        name = unquote(url.removeprefix("memory:///"))
        if name not in self.files:
            raise DownloadHTTPError("none", 404)
        yield self.files[name]


# ------------------------------------------------------------ theirs follows what ours writes


@pytest.fixture(params=[False, True], ids=["plain", "consistent"])
def repo(request):
    """A repository of ours, with an RSA key among its keys, and a role that is trusted."""
    repo = make_repo("ours", 20, Dialect.TUF, consistent=request.param)
    repo.expires = dict.fromkeys(ROLES, FAR)
    repo.versions, repo.files = {}, {}
    repo.keys["targets"] = [rsa_key(), key(23), key(24)]
    repo.thresholds["targets"] = 2
    repo.write_root()
    repo.images["firmware"] = image(b"content")
    key_id, supplier = repo.pair(key(50))
    role = ours.DelegatedRole((("supplier", RoleKeys((key_id,), 1)),), ("supplied/*",))
    repo.delegations = Delegations({key_id: supplier.key}, (role,))
    told = our_targets.Targets(Header(1, FAR), {"supplied/a": image(b"supplied", note="é\n")})
    repo.delegate("supplier", told, [key(50)])
    repo.publish()
    return repo


class Theirs:
    """python-tuf's client, on a directory."""

    def __init__(self, folder, repo) -> None:
        self.folder, self.repo, self.files = folder, repo, repo.files
        self.root = repo.files["1.root.json"]

    def updater(self) -> Updater:
        fetcher = Memory({f"metadata/{name}": data for name, data in self.files.items()})
        name = image_file(self.repo.root(), "firmware", self.repo.images["firmware"])
        fetcher.files[f"targets/{name}"] = b"content"
        return Updater(
            str(self.folder), "memory:///metadata/", str(self.folder), "memory:///targets/", fetcher,
            bootstrap=self.root,
        )  # fmt: skip


def test_theirs_reads_ours(repo, tmp_path):
    updater = Theirs(tmp_path, repo).updater()
    updater.refresh()
    info = updater.get_targetinfo("firmware")
    assert info.hashes == image(b"content").hashes
    assert info.custom == {"hardwareIds": ["board"]}
    with open(updater.download_target(info), "rb") as stream:
        assert stream.read() == b"content"
    assert updater.get_targetinfo("supplied/a").length == 8
    assert updater.get_targetinfo("supplied/b") is None


def test_theirs_follows_a_rotation_of_ours(repo, tmp_path):
    theirs = Theirs(tmp_path, repo)
    theirs.updater().refresh()
    old = list(repo.keys["root"])
    repo.keys["root"] = [key(70), rsa_key()]
    repo.thresholds["root"] = 2
    repo.write_root(also=old)
    repo.publish()
    theirs.updater().refresh()
    assert (
        Root.from_dict(Metadata.from_bytes(repo.files["2.root.json"]).signed.to_dict()).version == 2
    )


def test_theirs_refuses_ours_where_ours_does(repo, tmp_path):
    theirs = Theirs(tmp_path, repo)
    honest = dict(repo.files)
    repo.thresholds["targets"] = 3
    repo.keys["targets"] = repo.keys["targets"][:2]
    repo.write_root()
    with pytest.raises((UnsignedMetadataError, RepositoryError)):
        theirs.updater().refresh()
    theirs.files = repo.files = honest
    repo.expires["timestamp"] = NOW.replace(year=2020)
    repo.publish()
    with pytest.raises(ExpiredMetadataError):
        theirs.updater().refresh()


def test_theirs_verifies_our_bytes(repo):
    """Each file by its delegator, and what it reads is what it writes."""
    root = Metadata[Root].from_bytes(repo.files["1.root.json"])
    root.verify_delegate("root", root)
    for role in TOP_ROLES[1:]:
        data = repo.files[repo.file(role)]
        found = Metadata.from_bytes(data)
        root.verify_delegate(role, found)
        assert parse_envelope(found.to_bytes(), Dialect.TUF, 1 << 20, role).signed_bytes() == (
            parse_envelope(data, Dialect.TUF, 1 << 20, role).signed_bytes()
        )


def test_theirs_reads_what_the_command_writes(tmp_path):
    """Keys on a medium, a supplier, a rotation: all by `ostrya ota`."""
    (tmp_path / "fw").write_bytes(b"content")
    run = partial(OURS, cwd=tmp_path)
    run(
        "ota",
        "keys",
        "create",
        "--dialect=tuf",
        "--dir=img",
        "--keep=root=safe",
        "--threshold=root=2",
    )
    run("ota", "targets", "sign", "--dir=img", "--keys=safe")
    first = (tmp_path / "img/repository/1.root.json").read_bytes()
    run("ota", "keys", "create", "supplier", "--dir=sup")
    run(
        "ota",
        "delegation",
        "add",
        "supplier",
        "--dir=img",
        "--key=sup/supplier.pub",
        "--path=sup/*",
    )
    for name, more in (("firmware", []), ("sup/fw", ["--role=supplier"])):
        run("ota", "targets", "add", name, "fw", "--dir=img", "--hardware-id=b", *more)
    run("ota", "targets", "sign", "--dir=img", "--keys=sup")
    run("ota", "keys", "rotate", "root", "--dir=img", "--keep=new")
    run("ota", "targets", "sign", "--dir=img", "--keys=safe", "--keys=new")
    run("ota", "targets", "push", "--dir=img", "www")
    served = tmp_path / "www"
    files = {
        f"metadata/{path.relative_to(served)}" if path.parent == served
        else str(path.relative_to(served)): path.read_bytes()
        for path in served.rglob("*") if path.is_file()
    }  # fmt: skip
    folder = tmp_path / "theirs"
    folder.mkdir()
    updater = Updater(
        str(folder), "memory:///metadata/", str(folder), "memory:///targets/", Memory(files),
        bootstrap=first,
    )  # fmt: skip
    updater.refresh()
    for name in ("firmware", "sup/fw"):
        with open(updater.download_target(updater.get_targetinfo(name)), "rb") as stream:
            assert stream.read() == b"content"


# ------------------------------------------------------------ ours follows what theirs writes


class TheirRepo:
    """A repository that python-tuf writes."""

    name = "theirs"
    dialect = Dialect.TUF

    def __init__(self, *, consistent: bool) -> None:
        self.signers = {
            "root": [CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa()],
            "timestamp": [CryptoSigner.generate_ed25519()],
            "snapshot": [CryptoSigner.generate_rsa()],
            "targets": [CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()],
        }
        self.files: dict[str, bytes] = {}
        self.root = Root(expires=FAR, consistent_snapshot=consistent)
        for role, listed in self.signers.items():
            for one in listed:
                self.root.add_key(one.public_key, role)
            self.root.roles[role].threshold = len(listed)
        self.targets = Targets(expires=FAR)
        self.snapshot = Snapshot(expires=FAR)
        self.timestamp = Timestamp(expires=FAR)
        self.roles: dict[str, tuple[Targets, CryptoSigner]] = {}
        self.write_root()

    def put(self, name: str, value, listed) -> bytes:
        metadata = Metadata(value)
        for one in listed:
            metadata.sign(one, append=True)
        self.files[name] = metadata.to_bytes()
        return self.files[name]

    def write_root(self, also=()) -> None:
        self.put(f"{self.root.version}.root.json", self.root, [*self.signers["root"], *also])

    def named(self, role: str, version: int) -> str:
        return f"{version}.{role}.json" if self.root.consistent_snapshot else f"{role}.json"

    def publish(self) -> None:
        meta = {"targets.json": MetaFile.from_data(
            self.targets.version,
            self.put(self.named("targets", self.targets.version), self.targets, self.signers["targets"]),
            ["sha256"],
        )}  # fmt: skip
        for name, (targets, signer) in self.roles.items():
            self.put(self.named(name, targets.version), targets, [signer])
            meta[f"{name}.json"] = MetaFile(targets.version)
        self.snapshot.meta = meta
        data = self.put(
            self.named("snapshot", self.snapshot.version), self.snapshot, self.signers["snapshot"]
        )
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, data, ["sha512"])
        self.put("timestamp.json", self.timestamp, self.signers["timestamp"])

    def again(self) -> None:
        for one in (self.targets, self.snapshot, self.timestamp):
            one.version += 1
        self.publish()


@pytest.fixture(params=[False, True], ids=["plain", "consistent"])
def theirs(request):
    repo = TheirRepo(consistent=request.param)
    repo.targets.targets["firmware"] = TargetFile.from_data(
        "firmware", b"content", ["sha256", "sha512"]
    )
    repo.publish()
    return repo


class Ours:
    """Our client, of one repository."""

    def __init__(self, repo: TheirRepo) -> None:
        self.repo, self.kept = repo, {"root": repo.files["1.root.json"]}

    def keep(self, accepted) -> None:
        self.kept = dict(accepted.trusted.files)

    def refresh(self, now=NOW):
        found = trusted_set.open_trusted("theirs", Dialect.TUF, self.kept)
        steps = refresh_image(found, now)
        return run_steps(steps, lambda wanted: self.repo.files.get(wanted.file), self.keep)

    def find(self, name: str):
        steps = find_image(self.refresh(), Question(name, frozenset(), NOW))
        return run_steps(steps, lambda wanted: self.repo.files.get(wanted.file), self.keep)[1]


def test_ours_reads_theirs(theirs):
    client = Ours(theirs)
    assert client.find("firmware").length == 7
    assert client.refresh().targets.header.version == 1
    theirs.again()
    assert client.refresh().targets.header.version == 2


def test_ours_follows_a_rotation_of_theirs(theirs):
    client = Ours(theirs)
    client.refresh()
    old = theirs.signers["root"]
    theirs.signers["root"] = [CryptoSigner.generate_ed25519()]
    for one in old:
        theirs.root.revoke_key(one.public_key.keyid, "root")
    theirs.root.add_key(theirs.signers["root"][0].public_key, "root")
    theirs.root.roles["root"].threshold = 1
    theirs.root.version = 2
    theirs.write_root(also=old)
    theirs.again()
    assert client.refresh().root.header.version == 2


def test_ours_refuses_theirs(theirs):
    client = Ours(theirs)
    old = dict(theirs.files)
    theirs.again()
    client.refresh()
    theirs.files = old
    with pytest.raises(RollbackDetected):
        client.refresh()
    with pytest.raises(MetadataExpired):
        Ours(theirs).refresh(FAR)
    theirs.signers["targets"] = theirs.signers["targets"][:1]
    theirs.again()
    with pytest.raises(ThresholdNotMet, match="signed by 1 of the keys of targets, 2 have to sign"):
        Ours(theirs).refresh()


@pytest.mark.parametrize("how", ["paths", "prefixes", "succinct"])
def test_ours_follows_their_delegations(theirs, how):
    signer = CryptoSigner.generate_ed25519()
    keys: dict[str, Key] = {signer.public_key.keyid: signer.public_key}
    name = "supplied/a"
    digest = ours.name_digest(name)
    if how == "succinct":
        roles = SuccinctRoles([signer.public_key.keyid], 1, 6, "bin")
        theirs.targets.delegations = TheirDelegations(keys, succinct_roles=roles)
        role = roles.get_role_for_target(name)
    else:
        role = "supplier"
        told = {"paths": ["supplied/*"]} if how == "paths" else {"path_hash_prefixes": [digest[:2]]}
        one = TheirRole(role, [signer.public_key.keyid], 1, terminating=False, **told)
        theirs.targets.delegations = TheirDelegations(keys, roles={role: one})
    targets = Targets(expires=FAR)
    targets.targets[name] = TargetFile.from_data(name, b"supplied", ["sha256"])
    theirs.roles[role] = (targets, signer)
    theirs.again()
    assert Ours(theirs).find(name).length == 8
    # Another bin is not there, and another name is nobody's.
    with pytest.raises(MetadataMismatch if how == "succinct" else TargetNotFound):
        Ours(theirs).find("other/b")


@given(st.text(max_size=40), st.integers(1, 32))
@settings(max_examples=60)
def test_names_of_succinct_roles(name, bits):
    their = SuccinctRoles(["1"], 1, bits, "bin").get_role_for_target(name)
    our = ours.SuccinctRoles(RoleKeys(("1",), 1), bits, "bin").role_for(name)
    assert our.name == their


def test_ours_verifies_their_bytes(theirs):
    root = parse_envelope(theirs.files["1.root.json"], Dialect.TUF, 1 << 20, "root")
    found = trusted_set.open_trusted("theirs", Dialect.TUF, {"root": theirs.files["1.root.json"]})
    assert len(signers(root, found.root.keys, found.root.role("root"))) == 2
    assert found.root.to_json(Dialect.TUF) == root.signed


# ------------------------------------------------------------------------------- the bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
@settings(max_examples=100)
def test_canonical_json_is_theirs(value):
    assert canonical_bytes(Dialect.TUF, value).decode() == encode_canonical(value)


@pytest.mark.parametrize("secret", [key(1), rsa_key()], ids=["ed25519", "rsa"])
def test_key_ids_are_theirs(secret):
    spelled = in_dialect(secret, Dialect.TUF)
    their = CryptoSigner(spelled.private).public_key
    assert tuf_key_id(spelled.key) == their.keyid
    assert spelled.key.to_json() == their.to_dict()
