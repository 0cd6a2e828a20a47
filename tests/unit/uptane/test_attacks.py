# SPDX-License-Identifier: Apache-2.0
"""Attacks: each works on a client that lacks one check, and is refused by one that has it.

The attacker here may hold any key, and replay, alter or leave out any file.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane import checks, delegation_search, full_verification, trusted_set
from ostrya.uptane.delegation_search import Found
from ostrya.uptane.errors import (
    EcuMismatch,
    MetadataExpired,
    MetadataInvalid,
    MetadataMismatch,
    MetadataTooLarge,
    RollbackDetected,
    TargetMismatch,
    TargetNotFound,
    ThresholdNotMet,
    TooManyRoots,
    UptaneRefusal,
)
from ostrya.uptane.full_verification import Installed
from ostrya.uptane.metadata import signed
from ostrya.uptane.metadata.delegations import DelegatedRole, Delegations
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.signed import RoleKeys, sign
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot
from ostrya.uptane.metadata.targets import Targets
from ostrya.uptane.steps import Repository
from ostrya.uptane.time_floor import TimeFloor
from support.uptane_world import (
    LATER,
    NOW,
    ROLES,
    Client,
    World,
    assigned,
    image,
    key,
    make_world,
    targets_only,
)

REPOSITORIES = pytest.mark.parametrize("which", list(Repository), ids=lambda w: w.value)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def attack(monkeypatch):
    """Show that an attack works without some checks, and is refused with them; return what it gave.

    Whatever is refused leaves the client with what it trusted of the Director before, but for
    roots; of the Image repository, with files that are good by themselves.
    """

    def show(client: Client, refused: type[UptaneRefusal], *names: str, now=NOW):
        before = dict(client.kept)
        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(checks, name, lambda *_: None)
            gave = client.cycle(now)
        client.kept = dict(before)
        with pytest.raises(refused) as error:
            client.cycle(now)
        assert error.value.attack or refused is MetadataInvalid
        kept, known = client.kept[Repository.DIRECTOR], before[Repository.DIRECTOR]
        assert {**kept, "root": b""} == {**known, "root": b""}
        return gave

    return show


def followed(world: World) -> Client:
    """A client that has seen all there is, and has still to install it."""
    client = Client(world)
    client.cycle()
    return client


def agreed(gave) -> list[str]:
    return [one.name for one in gave.agreed]


# ------------------------------------------------------------------- X04 freeze, X18 time


@REPOSITORIES
@pytest.mark.parametrize("role", ROLES)
def test_freeze(world, attack, which, role):
    """Old files, validly signed, are served for ever."""
    repo = world.repo(which)
    repo.expires[role] = NOW - timedelta(seconds=1)
    if role == "root":
        repo.write_root()
    repo.publish()
    gave = attack(Client(world), MetadataExpired, "check_unexpired")
    assert agreed(gave) == ["firmware"]


@REPOSITORIES
@pytest.mark.parametrize("role", ROLES)
def test_freeze_of_what_is_known(world, attack, which, role):
    """The client has the files already, and they expire while the server keeps still."""
    repo = world.repo(which)
    repo.expires[role] = NOW + timedelta(hours=1)
    if role == "root":
        repo.write_root()
    repo.publish()
    gave = attack(followed(world), MetadataExpired, "check_unexpired", now=NOW + timedelta(hours=1))
    assert agreed(gave) == ["firmware"]


def test_a_clock_that_is_set_back(world):
    """Expired metadata is fresh again in 1970, but for the floor of time."""
    world.director.expires["timestamp"] = NOW - timedelta(days=1)
    world.director.publish()
    clock = NOW.replace(year=1970)
    assert agreed(Client(world).cycle(clock)) == ["firmware"]
    floor = TimeFloor(NOW)
    assert floor.is_behind(clock)
    with pytest.raises(MetadataExpired, match="it is 2026-11-30"):
        Client(world).cycle(floor.now(clock))


def test_a_clock_that_is_too_far_ahead_says_so_and_heals(world):
    floor = TimeFloor(NOW)
    client = Client(world)
    with pytest.raises(MetadataExpired, match="expired on 2027-11-30") as error:
        client.cycle(floor.now(NOW.replace(year=2100)))
    assert "set the clock" in error.value.hint
    assert agreed(client.cycle(floor.now(NOW))) == ["firmware"]


# ------------------------------------------------------------- X06 rollback of metadata


@REPOSITORIES
def test_an_older_timestamp(world, attack, which):
    repo = world.repo(which)
    old = repo.files["timestamp.json"]
    repo.versions["timestamp"] += 1
    repo.write_timestamp(trusted_snapshot(repo))
    client = followed(world)
    repo.files["timestamp.json"] = old
    gave = attack(client, RollbackDetected, "check_no_rollback")
    assert agreed(gave) == ["firmware"]


def trusted_snapshot(repo) -> MetaFile:
    return repo.described(repo.files["snapshot.json"], repo.versions["snapshot"])


@REPOSITORIES
def test_a_timestamp_that_goes_back_to_an_older_snapshot(world, attack, which):
    """The client saw which snapshot is the newest, but was cut off before it had it."""
    repo = world.repo(which)
    middle_files = dict(repo.files)
    middle = trusted_snapshot(repo)
    repo.publish()
    client = Client(world)
    trusted = client.trusted(which)
    client.kept[which] = {**trusted.files, "timestamp": repo.files["timestamp.json"]}
    repo.files.update(middle_files)
    repo.versions["timestamp"] += 5
    repo.write_timestamp(middle)
    gave = attack(client, RollbackDetected, "check_snapshot_not_older")
    assert agreed(gave) == ["firmware"]


@REPOSITORIES
def test_an_older_snapshot(world, attack, which):
    """Two rules stand against it: the timestamp goes back, and the snapshot does."""
    repo = world.repo(which)
    old = {name: repo.files[name] for name in ("snapshot.json", "targets.json")}
    listed = trusted_snapshot(repo)
    repo.publish()
    client = followed(world)
    repo.files.update(old)
    repo.versions["timestamp"] += 1
    repo.write_timestamp(listed)
    rules = ("check_snapshot_not_older", "check_no_rollback", "check_listed_versions")
    gave = attack(client, RollbackDetected, *rules)
    assert agreed(gave) == ["firmware"]


@REPOSITORIES
def test_an_older_snapshot_for_a_client_without_a_timestamp(world, attack, which):
    """With the same Targets in it: its own version is all that tells."""
    repo = world.repo(which)
    old, listed = repo.files["snapshot.json"], trusted_snapshot(repo)
    targets = repo.described(repo.files["targets.json"], repo.versions["targets"])
    repo.versions["snapshot"] += 1
    repo.versions["timestamp"] += 1
    repo.write_snapshot(targets)
    client = followed(world)
    kept = dict(client.kept[which])
    del kept["timestamp"]
    client.kept[which] = kept
    repo.files["snapshot.json"] = old
    repo.versions["timestamp"] += 1
    repo.write_timestamp(listed)
    gave = attack(client, RollbackDetected, "check_no_rollback")
    assert agreed(gave) == ["firmware"]


@REPOSITORIES
def test_older_targets_in_a_newer_snapshot(world, attack, which):
    repo = world.repo(which)
    old = repo.files["targets.json"]
    listed = repo.described(old, repo.versions["targets"])
    repo.publish()
    client = followed(world)
    repo.files["targets.json"] = old
    repo.versions["snapshot"] += 1
    repo.versions["timestamp"] += 1
    repo.write_snapshot(listed)
    gave = attack(client, RollbackDetected, "check_listed_versions", "check_no_rollback")
    assert agreed(gave) == ["firmware"]


def test_older_targets_of_a_role_that_was_never_asked(attack):
    """Only the older snapshot knows that there was a newer file."""
    world, _ = delegating(image(b"new"), version=5)
    client = followed(world)
    kept = client.kept[Repository.IMAGE]
    client.kept[Repository.IMAGE] = {name: kept[name] for name in kept if name != "supplier"}
    old = Targets(Header(4, NOW + LATER), {"supplied/a": image(b"new")})
    world.image.delegate("supplier", old, [key(50)])
    world.image.publish()
    gave = attack(client, RollbackDetected, "check_listed_versions")
    assert agreed(gave) == ["supplied/a"]


def test_a_file_that_the_snapshot_leaves_out(world, attack):
    world.image.others["supplier.json"] = MetaFile(1)
    world.image.publish()
    client = followed(world)
    del world.image.others["supplier.json"]
    world.image.publish()
    gave = attack(client, RollbackDetected, "check_listed_files")
    assert agreed(gave) == ["firmware"]


def test_older_targets_of_a_director_without_a_snapshot(world, attack):
    world.vehicle = targets_only(world.vehicle)
    old = world.director.files["targets.json"]
    world.director.publish()
    client = followed(world)
    world.director.files["targets.json"] = old
    assert agreed(attack(client, RollbackDetected, "check_no_rollback")) == ["firmware"]


def test_other_content_under_a_known_version(world, attack):
    world.vehicle = targets_only(world.vehicle)
    client = followed(world)
    world.image.images["other"] = image(b"other", releaseCounter=4)
    world.image.publish()
    world.director.images = {"other": assigned(world.image.images["other"])}
    world.director.put("targets", world.director.targets().to_json(world.director.dialect))
    gave = attack(client, MetadataMismatch, "check_same_version_same_content")
    assert agreed(gave) == ["other"]


# ---------------------------------------------------------------- X07 rollback of images


@pytest.mark.parametrize("counter", [{"releaseCounter": 2}, {}], ids=["older", "none"])
def test_an_older_release(world, attack, counter):
    """The Director is compromised, and assigns what the Image repository still has."""
    world.assign("older", image(b"older", **counter))
    gave = attack(Client(world), RollbackDetected, "check_release_counter")
    assert agreed(gave) == ["older"]


def test_a_release_counter_that_a_director_makes_up(world, attack):
    release = image(releaseCounter=4)
    world.assign("firmware", release)
    world.director.images["firmware"] = assigned(release, releaseCounter=9)
    world.director.publish()
    gave = attack(Client(world), TargetMismatch, "check_same_release_counter")
    assert gave.agreed[0].release_counter == 4


# ------------------------------------------------------------------------- X08 endless data


@REPOSITORIES
@pytest.mark.parametrize("role", ["root", "timestamp"])
def test_endless_metadata(world, attack, which, role):
    repo = world.repo(which)
    client = Client(world)
    if role == "root":
        repo.write_root()
        client.limits = client.limits._replace(root_bytes=len(repo.files["1.root.json"]))
        name = "2.root.json"
    else:
        client.limits = client.limits._replace(timestamp_bytes=len(repo.files["timestamp.json"]))
        name = "timestamp.json"
    repo.files[name] += b" " * 2**20
    assert agreed(attack(client, MetadataTooLarge, "check_size")) == ["firmware"]


def test_endless_targets(world, attack):
    world.vehicle = targets_only(world.vehicle)
    client = Client(world)
    client.limits = client.limits._replace(
        targets_bytes=len(world.image.files["targets.json"]) + 300
    )
    world.director.files["targets.json"] += b" " * 2**20
    assert agreed(attack(client, MetadataTooLarge, "check_size")) == ["firmware"]


def test_what_is_asked_for_is_bounded(world):
    client = Client(world)
    limits: dict[tuple[Repository, str], int] = {}
    fetch = client.fetch

    def watch(wanted):
        limits[wanted.repository, wanted.file] = wanted.max_bytes
        return fetch(wanted)

    client.fetch = watch  # type: ignore[method-assign]
    client.cycle()
    for which in Repository:
        files = world.repo(which).files
        # What another file tells the length of is not read any further.
        assert limits[which, "snapshot.json"] == len(files["snapshot.json"])
        assert limits[which, "targets.json"] == len(files["targets.json"])
        assert limits[which, "timestamp.json"] == client.limits.timestamp_bytes


def test_roots_without_end(world, monkeypatch):
    """They are bounded for each attempt, kept, and gone on from in the next."""
    for _ in range(12):
        world.image.write_root()
    client = Client(world)
    client.limits = client.limits._replace(roots=5)
    for _ in range(2):
        with pytest.raises(TooManyRoots):
            client.cycle()
    assert client.trusted(Repository.IMAGE).root.header.version == 11
    assert agreed(client.cycle()) == ["firmware"]
    assert client.trusted(Repository.IMAGE).root.header.version == 13


# ----------------------------------------------------------------------- X09 mix and match


@REPOSITORIES
def test_another_snapshot_of_the_same_version(world, attack, which):
    repo = world.repo(which)
    listed = repo.described(repo.files["targets.json"], repo.versions["targets"])
    other = Snapshot(repo.header("snapshot"), {"targets.json": listed, "x.json": MetaFile(1)})
    repo.put("snapshot", other.to_json(repo.dialect))
    # As long as the one that is meant, so that only its digest tells.
    listed = trusted_snapshot(repo)
    repo.versions["timestamp"] += 1
    repo.write_timestamp(listed._replace(hashes={"sha256": "0" * 64}))
    assert agreed(attack(Client(world), MetadataMismatch, "check_file")) == ["firmware"]


@REPOSITORIES
def test_other_targets_of_the_same_version(world, attack, which):
    """The attacker holds the key of Targets, and not those of snapshot and timestamp."""
    repo = world.repo(which)
    repo.custom = {**(repo.custom or {}), "x": 1}
    repo.put("targets", repo.targets().to_json(repo.dialect))
    client = Client(world)
    client.limits = client.limits._replace(snapshot_bytes=2**20)
    # Of the same length, so that only the digest tells.
    old = repo.files["targets.json"]
    repo.write_snapshot(repo.described(old, 1)._replace(hashes={"sha256": "0" * 64}))
    assert agreed(attack(client, MetadataMismatch, "check_file")) == ["firmware"]


@REPOSITORIES
def test_targets_of_another_version(world, attack, which):
    repo = world.repo(which)
    repo.versions["snapshot"] += 1
    repo.versions["timestamp"] += 1
    repo.write_snapshot(MetaFile(repo.versions["targets"]))
    repo.versions["targets"] += 1
    repo.put("targets", repo.targets().to_json(repo.dialect))
    assert agreed(attack(Client(world), MetadataMismatch, "check_version")) == ["firmware"]


def test_another_length(world, attack):
    told = world.director.images["firmware"]
    world.director.images["firmware"] = told._replace(length=told.length + 1)
    world.director.publish()
    assert agreed(attack(Client(world), TargetMismatch, "check_same_length")) == ["firmware"]


@pytest.mark.parametrize(
    "hashes",
    [digests(b"evil"), {**digests(b"content"), "sha512": "0" * 128}, {"sha512": "0" * 128}],
    ids=["sha256", "sha512", "none in common"],
)
def test_another_digest(world, attack, hashes):
    content = image(releaseCounter=4)
    both = (
        {**content.hashes, **digests(b"content", ("sha512",))}
        if len(hashes) > 1
        else content.hashes
    )
    world.assign("firmware", content._replace(hashes=both))
    world.director.images["firmware"] = world.director.images["firmware"]._replace(hashes=hashes)
    world.director.publish()
    assert agreed(attack(Client(world), TargetMismatch, "check_same_hashes")) == ["firmware"]


def test_an_image_for_another_kind_of_ecu(world, attack):
    world.assign("firmware", image(releaseCounter=4, hardwareIds=["sensor"]))
    assert agreed(attack(Client(world), TargetMismatch, "check_hardware_ids")) == ["firmware"]


def test_both_have_to_be_of_the_same_moment(world):
    """Each repository is valid, but the Director speaks of an image that is not there yet."""
    client = followed(world)
    world.director.images = {"next": assigned(image(b"next"))}
    world.director.publish()
    with pytest.raises(TargetNotFound):
        client.cycle()


# ------------------------------------------------------- X10 arbitrary software, one key set


def test_the_directors_keys_alone(world, monkeypatch):
    evil = image(b"evil", releaseCounter=9)
    world.director.images = {"evil": assigned(evil)}
    world.director.publish()

    def believes_the_director(found, question):
        yield from ()
        return found, evil

    with monkeypatch.context() as patch:
        patch.setattr(full_verification, "find_image", believes_the_director)
        assert agreed(Client(world).cycle()) == ["evil"]
    with pytest.raises(TargetNotFound, match="the Image repository has no image evil"):
        Client(world).cycle()


@REPOSITORIES
@pytest.mark.parametrize("role", ROLES[1:])
def test_keys_of_the_other_repository(world, attack, which, role):
    """Every file of one repository, signed by the other one's keys of the same role."""
    repo = world.repo(which)
    other = world.image if which is Repository.DIRECTOR else world.director
    honest = repo.pairs

    def pairs(name):
        return [repo.pair(one) for one in other.keys[name]] if name == role else honest(name)

    root = repo.root()
    repo.pairs = pairs  # type: ignore[method-assign]
    repo.root = lambda: root  # type: ignore[method-assign]
    repo.publish()
    assert agreed(attack(Client(world), ThresholdNotMet, "check_signed")) == ["firmware"]


def test_the_image_repositorys_keys_alone_install_nothing(world):
    client = followed(world)
    world.image.images["evil"] = image(b"evil", releaseCounter=9)
    world.image.publish()
    assert agreed(client.cycle()) == ["firmware"]


# -------------------------------------------------------------------- X11 mix-up of devices


def test_what_a_director_said_to_another_vehicle(world, attack):
    """Its keys are the same for all vehicles, and its versions may be higher."""
    client = followed(world)
    honest = dict(world.director.files), dict(world.director.versions)
    for _ in range(5):
        world.director.publish()
    world.assign("firmware", image(releaseCounter=4), serial="ecu-of-another")
    gave = attack(client, EcuMismatch, "check_known_ecus")
    assert gave.agreed[0].ecus == {"ecu-of-another": "board"}
    # And this vehicle is not shut out by the higher versions.
    client = followed(make_world())
    honest_world = client.world
    client.world = world
    with pytest.raises(EcuMismatch):
        client.cycle()
    client.world = honest_world
    assert agreed(client.cycle()) == ["firmware"]
    assert honest[1]["targets"] < world.director.versions["targets"]


def test_a_directors_nothing_for_another_vehicle(world, attack):
    world.director.images, world.director.custom = {}, {"vehicleId": "vehicle-2"}
    world.director.publish()
    assert agreed(attack(Client(world), EcuMismatch, "check_vehicle")) == []


def test_a_directors_nothing_for_nobody(world, attack):
    world.director.images, world.director.custom = {}, {}
    world.director.publish()
    assert agreed(attack(Client(world), EcuMismatch, "check_empty_names_vehicle")) == []


def test_an_ecu_taken_for_another_kind(world, attack):
    world.assign("firmware", image(releaseCounter=4, hardwareIds=["sensor"]), hardware_id="sensor")
    assert agreed(attack(Client(world), EcuMismatch, "check_ecu_kinds")) == ["firmware"]


def test_two_images_for_one_ecu(world, attack):
    other = image(b"other", releaseCounter=4)
    world.image.images["other"] = other
    world.director.images["other"] = assigned(other)
    world.publish()
    gave = attack(Client(world), EcuMismatch, "check_each_ecu_once")
    assert agreed(gave) == ["firmware", "other"]


def test_an_image_for_no_ecu(world, attack):
    other = image(b"other", releaseCounter=4)
    world.image.images["other"] = other
    world.director.images["other"] = other._replace(custom={"x": 1})
    world.publish()
    gave = attack(Client(world), EcuMismatch, "check_each_image_has_an_ecu")
    assert "other" in agreed(gave)


def test_a_director_that_lets_others_speak(world, attack):
    world.director.delegations = Delegations({}, ())
    world.director.publish()
    assert agreed(attack(Client(world), MetadataInvalid, "check_no_delegations")) == ["firmware"]


# ------------------------------------------------------------------------ X12 fast-forward


@REPOSITORIES
def test_fast_forward(world, monkeypatch, which):
    """The highest version that there is, by a stolen key; then the key is replaced."""
    repo = world.repo(which)
    honest = dict(repo.versions)
    for role in ("timestamp", "snapshot"):
        repo.versions[role] = 2**31 - 1
    repo.write_snapshot(repo.described(repo.files["targets.json"], repo.versions["targets"]))
    client = followed(world)
    before = dict(client.kept)
    repo.versions.update(honest, root=1)
    repo.keys["timestamp"], repo.keys["snapshot"] = [key(90)], [key(91)]
    repo.write_root()
    repo.publish()
    with monkeypatch.context() as patch:
        patch.setattr(trusted_set, "forget_after_rotation", lambda found, _old: found)
        with pytest.raises(RollbackDetected):
            client.cycle()
    client.kept = before
    assert agreed(client.cycle()) == ["firmware"]
    assert client.trusted(which).snapshot.header.version == honest["snapshot"] + 1


@REPOSITORIES
def test_nothing_is_forgotten_when_other_keys_change(world, which):
    """Unlike aktualizr: a new root alone must not make a rollback possible."""
    repo = world.repo(which)
    old = dict(repo.files)
    repo.publish()
    client = followed(world)
    repo.files.update(old)
    repo.keys["root"].append(key(92))
    repo.write_root()
    with pytest.raises(RollbackDetected):
        client.cycle()
    assert client.trusted(which).root.header.version == 2


# ---------------------------------------------------------- X13 keys below the threshold


def with_threshold(world: World, which: Repository, role: str) -> list:
    """Let a role need two of three keys; return them."""
    repo = world.repo(which)
    repo.keys[role] = [key(60), key(61), key(62)]
    repo.thresholds[role] = 2
    repo.write_root()
    return repo.keys[role]


@REPOSITORIES
@pytest.mark.parametrize("role", ROLES[1:])
def test_one_key_of_two(world, attack, which, role):
    repo = world.repo(which)
    keys = with_threshold(world, which, role)
    honest = repo.pairs
    root = repo.root()
    repo.root = lambda: root  # type: ignore[method-assign]
    repo.pairs = lambda name: honest(name)[:1] if name == role else honest(name)  # type: ignore[method-assign]
    repo.publish()
    assert len(keys) == 3
    assert agreed(attack(Client(world), ThresholdNotMet, "check_signed")) == ["firmware"]


def test_one_key_under_two_ids(world, monkeypatch):
    """As aktualizr counts, by ids; and the same key, spelled in two ways."""
    repo = world.image
    one = key(60)
    root = repo.root()
    keys = {**root.keys, "a": one.key, "b": one.key._replace(public=one.key.public.upper())}
    roles = {**root.roles, "targets": RoleKeys(("a", "b"), 2)}
    repo.versions["root"] = 2
    root = root._replace(keys=keys, roles=roles, header=Header(2, NOW + LATER))
    repo.files["2.root.json"] = sign(
        root.to_json(repo.dialect), repo.dialect, repo.pairs("root")
    ).to_bytes()
    repo.versions["targets"] += 1
    targets = sign(repo.targets().to_json(repo.dialect), repo.dialect, [("a", one), ("b", one)])
    repo.files["targets.json"] = targets.to_bytes()
    repo.versions["snapshot"] += 1
    repo.versions["timestamp"] += 1
    repo.write_snapshot(repo.described(targets.to_bytes(), repo.versions["targets"]))
    with monkeypatch.context() as patch:
        patch.setattr(signed, "identity", lambda found: found.public.encode())
        assert agreed(Client(world).cycle()) == ["firmware"]
    with pytest.raises(ThresholdNotMet, match="signed by 1 of the keys"):
        Client(world).cycle()


@REPOSITORIES
def test_a_key_that_was_revoked(world, attack, which):
    repo = world.repo(which)
    stolen = repo.keys["targets"]
    repo.keys["targets"] = [key(63)]
    repo.write_root()
    root = repo.root()
    repo.root = lambda: root  # type: ignore[method-assign]
    repo.keys["targets"] = stolen
    repo.publish()
    assert agreed(attack(Client(world), ThresholdNotMet, "check_signed")) == ["firmware"]


def test_a_revoked_key_does_not_vouch_for_what_is_kept(world):
    client = followed(world)
    world.image.keys["targets"] = [key(63)]
    world.image.write_root()
    # The files are the old ones, and what the snapshot lists is what the client has.
    with pytest.raises(ThresholdNotMet):
        client.cycle()


# --------------------------------------------------------------------------- X14 root chain


@REPOSITORIES
def test_a_root_that_only_the_old_keys_signed(world, attack, which):
    repo = world.repo(which)
    old = repo.pairs("root")
    repo.keys["root"] = [key(70)]
    repo.versions["root"] = 2
    data = sign(repo.root().to_json(repo.dialect), repo.dialect, old).to_bytes()
    repo.files["2.root.json"] = data
    assert agreed(attack(Client(world), ThresholdNotMet, "check_root_signed_by_itself")) == [
        "firmware"
    ]


@REPOSITORIES
def test_a_root_that_only_the_new_keys_signed(world, attack, which):
    """Whoever can write to the server makes keys of his own."""
    repo = world.repo(which)
    repo.keys = {role: [key(80 + at)] for at, role in enumerate(ROLES)}
    repo.write_root()
    repo.publish()
    assert agreed(attack(Client(world), ThresholdNotMet, "check_root_signed_by_old")) == [
        "firmware"
    ]


@REPOSITORIES
@pytest.mark.parametrize(
    ("version", "error"), [(1, MetadataInvalid), (3, MetadataInvalid)], ids=["again", "skipped"]
)
def test_a_root_of_another_version(world, attack, which, version, error):
    repo = world.repo(which)
    repo.versions["root"] = version - 1
    data = repo.write_root()
    repo.files["2.root.json"] = data
    if version == 1:
        repo.files["1.root.json"] = Client(make_world()).kept[which]["root"]
    assert_chain_refused(world, which, error, attack)


def assert_chain_refused(world, which, error, attack):
    client = Client(world)
    client.limits = client.limits._replace(roots=1)
    # Without the rule the loop goes on until its bound, and trusts what it was told.
    with pytest.raises(error):
        client.cycle()
    assert client.trusted(which).root.header.version == 1


def test_a_root_that_goes_back(world, monkeypatch):
    for _ in range(2):
        world.image.write_root()
    client = followed(world)
    assert client.trusted(Repository.IMAGE).root.header.version == 3
    world.image.files["4.root.json"] = world.image.files["2.root.json"]
    before = dict(client.kept)
    with monkeypatch.context() as patch:
        patch.setattr(checks, "check_root_is_next", lambda *_: None)
        client.limits = client.limits._replace(roots=1)
        with pytest.raises(TooManyRoots):
            client.cycle()
        assert client.trusted(Repository.IMAGE).root.header.version == 2
    client.kept = before
    with pytest.raises(RollbackDetected):
        client.cycle()
    assert client.trusted(Repository.IMAGE).root.header.version == 3


@REPOSITORIES
def test_an_expired_root_on_the_way_is_followed(world, which):
    repo = world.repo(which)
    repo.expires["root"] = NOW - timedelta(days=30)
    repo.write_root()
    del repo.expires["root"]
    repo.write_root()
    assert agreed(Client(world).cycle()) == ["firmware"]


# ------------------------------------------------------------------- X15 abuse of delegations


def delegating(content, version: int = 1, **role) -> tuple[World, Targets]:
    """A world whose Image repository trusts a supplier with names below supplied/."""
    world = make_world()
    supplier = key(50)
    key_id, _ = world.image.pair(supplier)
    one = DelegatedRole((("supplier", RoleKeys((key_id,), 1)),), ("supplied/*",), **role)
    world.image.delegations = Delegations({key_id: supplier.key}, (one,))
    targets = Targets(Header(version, NOW + LATER), {"supplied/a": content})
    world.image.delegate("supplier", targets, [supplier])
    world.director.images = {"supplied/a": assigned(content)}
    world.vehicle = world.vehicle._replace(installed={})
    world.publish()
    return world, targets


def test_a_supplier_is_believed():
    world, _ = delegating(image(b"new"))
    client = Client(world)
    assert agreed(client.cycle()) == ["supplied/a"]
    # What is kept is not fetched again.
    client.asked.clear()
    assert agreed(client.cycle()) == ["supplied/a"]
    assert "delegations/supplier.json" not in [file for _, file in client.asked]


def test_a_supplier_that_speaks_of_more_than_it_is_trusted_with(monkeypatch):
    world, targets = delegating(image(b"new"))
    evil = image(b"evil")
    world.image.delegate("supplier", targets._replace(images={"firmware-2": evil}), [key(50)])
    world.director.images = {"firmware-2": assigned(evil)}
    world.publish()
    with monkeypatch.context() as patch:
        patch.setattr(DelegatedRole, "covers", lambda *_: True)
        assert agreed(Client(world).cycle()) == ["firmware-2"]
    with pytest.raises(TargetNotFound):
        Client(world).cycle()


def test_a_supplier_of_other_hardware(monkeypatch):
    world, _ = delegating(image(b"new"), hardware_ids=("sensor",))
    with monkeypatch.context() as patch:
        patch.setattr(DelegatedRole, "covers", lambda *_: True)
        assert agreed(Client(world).cycle()) == ["supplied/a"]
    with pytest.raises(TargetNotFound):
        Client(world).cycle()


@pytest.mark.parametrize("signers", [[51], []], ids=["another key", "nobody"])
def test_a_supplier_that_did_not_sign(attack, signers):
    world, targets = delegating(image(b"new"))
    world.image.delegate("supplier", targets, [key(one) for one in signers])
    world.image.publish()
    assert agreed(attack(Client(world), ThresholdNotMet, "check_signed")) == ["supplied/a"]


def test_a_supplier_that_expired(attack):
    world, targets = delegating(image(b"new"))
    old = targets._replace(header=Header(1, NOW))
    world.image.delegate("supplier", old, [key(50)])
    world.image.publish()
    assert agreed(attack(Client(world), MetadataExpired, "check_unexpired")) == ["supplied/a"]


def test_a_supplier_that_goes_back(attack):
    """The snapshot's key is stolen too, but the client has the newer file."""
    world, targets = delegating(image(b"new"), version=2)
    client = followed(world)
    world.image.delegate("supplier", targets._replace(header=Header(1, NOW + LATER)), [key(50)])
    world.image.publish()
    gave = attack(client, RollbackDetected, "check_no_rollback", "check_listed_versions")
    assert agreed(gave) == ["supplied/a"]


@pytest.mark.parametrize("change", ["missing", "not listed"])
def test_a_supplier_that_is_left_out(change):
    world, _ = delegating(image(b"new"))
    if change == "missing":
        del world.image.files["delegations/supplier.json"]
    else:
        del world.image.others["supplier.json"]
        world.image.publish()
    with pytest.raises((MetadataInvalid, MetadataMismatch)):
        Client(world).cycle()


def second_supplier(world: World, content, *, first_is_terminating: bool) -> None:
    """Let the first supplier say nothing, and another one with the same names say something."""
    first = world.image.delegations.roles[0]
    other = key(53)
    key_id, _ = world.image.pair(other)
    second = DelegatedRole((("other", RoleKeys((key_id,), 1)),), ("*",))
    world.image.delegations = Delegations(
        {**world.image.delegations.keys, key_id: other.key},
        (first._replace(terminating=first_is_terminating), second),
    )
    world.image.delegate("supplier", Targets(Header(2, NOW + LATER), {}), [key(50)])
    world.image.delegate("other", Targets(Header(1, NOW + LATER), {"supplied/a": content}), [other])
    world.image.publish()


def test_a_terminating_role_is_the_last_that_is_asked():
    world, _ = delegating(image(b"new"))
    second_supplier(world, image(b"new"), first_is_terminating=False)
    assert agreed(Client(world).cycle()) == ["supplied/a"]
    second_supplier(world, image(b"new"), first_is_terminating=True)
    with pytest.raises(TargetNotFound):
        Client(world).cycle()


def chain(world: World, names: list[str]) -> None:
    """Let each role trust the next with everything; none speaks of an image."""
    one = key(50)
    key_id, _ = world.image.pair(one)

    def trusting(name: str) -> Delegations:
        return Delegations(
            {key_id: one.key}, (DelegatedRole(((name, RoleKeys((key_id,), 1)),), ("*",)),)
        )

    world.image.delegations = trusting(names[0])
    for at, name in enumerate(names[:-1]):
        targets = Targets(Header(2, NOW + LATER), {}, trusting(names[at + 1]))
        if world.image.others.get(f"{name}.json", MetaFile(0)).version < 2:
            world.image.delegate(name, targets, [one])
    world.image.publish()


def test_roles_that_trust_each_other_in_a_circle():
    world, _ = delegating(image(b"new"))
    chain(world, ["a", "b", "a", "b"])
    with pytest.raises(TargetNotFound):
        Client(world).cycle()


def test_roles_without_end():
    world, _ = delegating(image(b"new"))
    chain(world, [f"role-{at}" for at in range(20)])
    with pytest.raises(MetadataTooLarge, match="delegations without end"):
        Client(world).cycle()


def agreeing(images: dict[str, object], agreement: int) -> World:
    world, _ = delegating(image(b"new"))
    secrets = {name: key(50 + at) for at, name in enumerate(images)}
    ids = {name: world.image.pair(one)[0] for name, one in secrets.items()}
    members = tuple((name, RoleKeys((ids[name],), 1)) for name in images)
    role = DelegatedRole(members, ("*",), agreement=agreement, terminating=True)
    world.image.delegations = Delegations({ids[n]: s.key for n, s in secrets.items()}, (role,))
    for name, content in images.items():
        targets = Targets(Header(1, NOW + LATER), {"supplied/a": content})
        world.image.delegate(name, targets, [secrets[name]])
    world.image.publish()
    return world


def test_roles_that_have_to_agree(monkeypatch):
    assert agreed(Client(agreeing({"qa": image(b"new"), "vendor": image(b"new")}, 2)).cycle())
    world = agreeing({"qa": image(b"old"), "vendor": image(b"new")}, 2)
    with monkeypatch.context() as patch:
        patch.setattr(delegation_search, "_agree", lambda answers, _: answers[-1])
        assert agreed(Client(world).cycle()) == ["supplied/a"]
    with pytest.raises(TargetNotFound):
        Client(world).cycle()


def test_of_two_answers_the_earliest_role_counts():
    new, old = image(b"new"), image(b"old")
    answers = [Found(one, "", is_over=True) for one in (old, new, new, old)]
    assert delegation_search._agree(answers, 2).image == old


# ----------------------------------------------------- X02 requests that get no answer, X19


class NoAnswer(Exception):
    """The network is gone."""


def test_every_request_without_an_answer(world):
    whole = Client(world)
    whole.cycle()
    for at in range(len(whole.asked)):
        client = Client(world)
        fetch, count = client.fetch, iter(range(len(whole.asked)))

        def cut(wanted, fetch=fetch, count=count, at=at):
            if next(count) == at:
                raise NoAnswer
            return fetch(wanted)

        client.fetch = cut  # type: ignore[method-assign]
        with pytest.raises(NoAnswer):
            client.cycle()
        client.fetch = fetch  # type: ignore[method-assign]
        assert agreed(client.cycle()) == ["firmware"]


def test_a_client_that_dies_whenever_it_keeps_something(world):
    world.image.write_root()
    world.director.write_root()
    steps = 0
    while True:
        client = Client(world)
        keep, count = client.keep, iter(range(99))

        def cut(accepted, keep=keep, count=count, at=steps):
            if next(count) == at:
                raise NoAnswer
            keep(accepted)

        client.keep = cut  # type: ignore[method-assign]
        try:
            client.cycle()
        except NoAnswer:
            client.keep = keep  # type: ignore[method-assign]
            assert agreed(client.cycle()) == ["firmware"]
            steps += 1
            continue
        break
    # Two roots, the Director as a whole, and three files of the Image repository.
    assert steps == 6


# ----------------------------------------------------------------------- X17 malformed input


GARBAGE = [
    b"", b"{", b"null", b"[]", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 10**6, b'{"signatures":[],"signed":{}}',
    b'{"signatures":[],"signed":{"_type":"Root","version":1e999}}', b'{"a":NaN}', b'{"a":1,"a":1}', b"9" * 10**5,
]  # fmt: skip


@REPOSITORIES
@pytest.mark.parametrize("role", ROLES)
def test_garbage(world, which, role):
    """A clear error, and what was trusted is still trusted."""
    client = followed(world)
    kept = dict(client.kept)
    repo = world.repo(which)
    repo.publish()
    honest = dict(repo.files)
    name = "2.root.json" if role == "root" else f"{role}.json"
    for data in [*GARBAGE, honest["1.root.json"][:-1], honest["targets.json"][:200]]:
        repo.files[name] = data
        with pytest.raises(UptaneRefusal):
            client.cycle()
        assert client.kept[which]["root"] == kept[which]["root"]
        assert client.kept[which].get("targets") == kept[which].get("targets")
    repo.files = honest
    assert agreed(client.cycle()) == ["firmware"]


@pytest.mark.parametrize("name", ["../firmware", "/etc/passwd", "a/../../b", "firmwa\u0301re"])
def test_names_that_lead_elsewhere(world, name):
    world.assign(name, image(releaseCounter=4))
    with pytest.raises(MetadataInvalid):
        Client(world).cycle()


def test_what_is_installed_already_needs_no_image_repository(world):
    done = Installed("firmware", image().hashes, 4)
    world.vehicle = world.vehicle._replace(installed={"ecu-1": done})
    client = Client(world)
    assert agreed(client.cycle()) == []
    assert {which for which, _ in client.asked} == {Repository.DIRECTOR}
