# SPDX-License-Identifier: Apache-2.0
"""A Director, an Image repository with all their keys, and a vehicle that follows them; in memory.

Every file can be replaced, replayed or signed by other keys: what an attacker could do, and more.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ostrya.uptane.full_verification import DirectorFiles, Installed, Vehicle, verify_fully
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.file_names import meta_name, role_file, root_file
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.keys import repository_key_id
from ostrya.uptane.metadata.root import Root
from ostrya.uptane.metadata.secret_keys import (
    SecretKey,
    in_dialect,
    make_secret_key,
    read_secret_key,
)
from ostrya.uptane.metadata.signed import RoleKeys, sign
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot
from ostrya.uptane.metadata.targets import Image, Targets
from ostrya.uptane.metadata.timestamp import Timestamp
from ostrya.uptane.steps import Accepted, Repository, Wanted, run_steps
from ostrya.uptane.trusted_set import DEFAULT_LIMITS, open_trusted

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SOON, LATER = timedelta(days=1), timedelta(days=365)
ROLES = tuple(role.value for role in Role)


@functools.cache
def key(number: int) -> SecretKey:
    """An ed25519 key that is always the same."""
    private = bytes([number]) * 32
    return read_secret_key(
        {"keytype": "ED25519", "keyval": {"private": private.hex()}}, f"key {number}"
    )


@functools.cache
def rsa_key() -> SecretKey:
    """An RSA key, one for all tests, since making one takes long."""
    return make_secret_key("rsa2048")


def image(content: bytes = b"content", **custom: object) -> Image:
    """An image of the Image repository."""
    custom.setdefault("hardwareIds", ["board"])
    return Image(len(content), digests(content), custom)  # type: ignore[arg-type]


def assigned(
    source: Image, serial: str = "ecu-1", hardware_id: str = "board", **custom: object
) -> Image:
    """What a Director says of an image."""
    told = {"ecuIdentifiers": {serial: {"hardwareId": hardware_id}}, **custom}
    return source._replace(custom=told)


@dataclass
class Repo:
    """A repository with its keys.

    Attributes:
        name: For errors.
        keys: Of each role.
        files: What is served.
        versions: Of each role.
        expires: Of each role.
    """

    name: str
    dialect: Dialect = Dialect.UPTANE
    consistent: bool = False
    keys: dict[str, list[SecretKey]] = field(default_factory=dict)
    thresholds: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    expires: dict[str, datetime] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    delegations: object = None
    custom: dict[str, object] | None = None
    others: dict[str, MetaFile] = field(default_factory=dict)

    def pairs(self, role: str) -> list[tuple[str, SecretKey]]:
        return [self.pair(one) for one in self.keys[role]]

    def pair(self, secret: SecretKey) -> tuple[str, SecretKey]:
        spelled = in_dialect(secret, self.dialect)
        return repository_key_id(self.dialect, spelled.key), spelled

    def header(self, role: str) -> Header:
        return Header(self.versions[role], self.expires.get(role, NOW + LATER))

    def root(self) -> Root:
        keys = dict(pair for role in ROLES for pair in self.pairs(role))
        roles = {
            role: RoleKeys(
                tuple(key_id for key_id, _ in self.pairs(role)), self.thresholds.get(role, 1)
            )
            for role in ROLES
        }
        return Root(
            self.header("root"), {key_id: one.key for key_id, one in keys.items()}, roles,
            self.consistent,
        )  # fmt: skip

    def write_root(self, also: list[SecretKey] | None = None) -> bytes:
        """Serve the next root, signed by its keys and others."""
        self.versions["root"] = self.versions.get("root", 0) + 1
        signers = self.pairs("root") + [self.pair(one) for one in also or []]
        data = sign(
            self.root().to_json(self.dialect), self.dialect, dict(signers).items()
        ).to_bytes()
        self.files[root_file(self.versions["root"])] = data
        return data

    def targets(self) -> Targets:
        return Targets(self.header("targets"), self.images, self.delegations, self.custom)  # type: ignore[arg-type]

    def file(self, role: str) -> str:
        return (
            "timestamp.json"
            if role == "timestamp"
            else role_file(self.dialect, self.root(), role, self.versions[role])
        )

    def put(self, role: str, signed: dict, keys: list[SecretKey] | None = None) -> bytes:
        """Serve a file, signed by the keys of its role or by others."""
        signers = self.pairs(role) if keys is None else [self.pair(one) for one in keys]
        data = sign(signed, self.dialect, signers).to_bytes()
        self.files[self.file(role)] = data
        return data

    def described(self, data: bytes, version: int) -> MetaFile:
        return MetaFile(version, len(data), digests(data))

    def publish(self, *, bump: bool = True) -> None:
        """Serve Targets, snapshot and timestamp, each with the next version."""
        for role in ROLES[1:]:
            self.versions[role] = self.versions.get(role, 0) + bump
        targets = self.put("targets", self.targets().to_json(self.dialect))
        self.write_snapshot(self.described(targets, self.versions["targets"]))

    def write_snapshot(self, listed: MetaFile) -> None:
        meta = {meta_name("targets"): listed, **self.others}
        snapshot = self.put(
            "snapshot", Snapshot(self.header("snapshot"), meta).to_json(self.dialect)
        )
        self.write_timestamp(self.described(snapshot, self.versions["snapshot"]))

    def write_timestamp(self, listed: MetaFile) -> None:
        self.put("timestamp", Timestamp(self.header("timestamp"), listed).to_json(self.dialect))

    def delegate(self, role: str, targets: Targets, keys: list[SecretKey]) -> bytes:
        """Serve the Targets of a role that others trust, and list them."""
        data = sign(
            targets.to_json(self.dialect), self.dialect, [self.pair(one) for one in keys]
        ).to_bytes()
        self.files[role_file(self.dialect, self.root(), role, targets.header.version)] = data
        self.others[meta_name(role)] = self.described(data, targets.header.version)
        return data


def make_repo(
    name: str, first_key: int, dialect: Dialect = Dialect.UPTANE, *, consistent: bool = False
) -> Repo:
    """A repository with a key for each role, and its first root."""
    repo = Repo(name, dialect, consistent)
    repo.keys = {role: [key(first_key + at)] for at, role in enumerate(ROLES)}
    repo.write_root()
    return repo


@dataclass
class World:
    """Two repositories, and a vehicle."""

    director: Repo
    image: Repo
    vehicle: Vehicle

    def repo(self, which: Repository) -> Repo:
        return self.director if which is Repository.DIRECTOR else self.image

    def publish(self) -> None:
        self.image.publish()
        self.director.publish()

    def assign(
        self, name: str, content: Image, serial: str = "ecu-1", hardware_id: str = "board"
    ) -> None:
        """Put an image into both, and publish."""
        self.image.images[name] = content
        self.director.images = {name: assigned(content, serial, hardware_id)}
        self.publish()


def make_world(dialect: Dialect = Dialect.UPTANE, *, consistent: bool = False) -> World:
    """Two repositories with one image that is assigned, and a vehicle of two ECUs that runs another."""
    director = make_repo("Director", 10, consistent=consistent)
    director.custom = {"vehicleId": "vehicle-1", "correlationId": "urn:update:1"}
    images = make_repo("Image repository", 20, dialect, consistent=consistent)
    vehicle = Vehicle(
        {"ecu-1": "board", "ecu-2": "sensor"},
        {"ecu-1": Installed("old", {"sha256": "0" * 64}, 3)},
        "vehicle-1",
    )
    world = World(director, images, vehicle)
    world.assign("firmware", image(releaseCounter=4))
    return world


class Client:
    """A vehicle that follows a world, and keeps what it trusts as bytes, as a disk would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept: dict[Repository, Mapping[str, bytes]] = {
            which: {"root": world.repo(which).files[root_file(1)]} for which in Repository
        }
        self.asked: list[tuple[Repository, str]] = []
        self.limits = DEFAULT_LIMITS

    def trusted(self, which: Repository):
        repo = self.world.repo(which)
        return open_trusted(repo.name, repo.dialect, self.kept[which], self.limits)

    def fetch(self, wanted: Wanted) -> bytes | None:
        self.asked.append((wanted.repository, wanted.file))
        return self.world.repo(wanted.repository).files.get(wanted.file)

    def keep(self, accepted: Accepted) -> None:
        self.kept[accepted.repository] = dict(accepted.trusted.files)

    def cycle(self, now: datetime = NOW):
        """One full verification."""
        director, images = (self.trusted(which) for which in Repository)
        steps = verify_fully(director, images, self.world.vehicle, now)
        return run_steps(steps, self.fetch, self.keep)


def targets_only(vehicle: Vehicle) -> Vehicle:
    return vehicle._replace(director_files=DirectorFiles.TARGETS_ONLY)
