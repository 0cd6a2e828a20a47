# SPDX-License-Identifier: Apache-2.0
"""What an ECU makes of the metadata that its Primary hands on, each of three ways.

Source: Uptane Standard 2.1.0, sections 5.4.4.1 and 5.4.4.2; aktualizr's VerificationType.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from ostrya.named_tuple import NamedTuple
from ostrya.uptane import checks
from ostrya.uptane.client.installs import Target
from ostrya.uptane.errors import MetadataMismatch, TargetNotFound
from ostrya.uptane.full_verification import (
    Agreed,
    DirectorFiles,
    Installed,
    Vehicle,
    refresh_image,
    verify_fully,
)
from ostrya.uptane.metadata.custom import (
    correlation_id_of,
    ecus_of,
    hardware_ids_of,
    is_ostree,
    release_counter_of,
    uri_of,
)
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.signed import parse_envelope
from ostrya.uptane.metadata.targets import read_targets
from ostrya.uptane.partial_verification import Ecu, Handed, verify_partially
from ostrya.uptane.refresh import targets_of
from ostrya.uptane.steps import Accepted, Repository, Wanted, run_steps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import TypeAlias

    from ostrya.uptane.client.installer import Running
    from ostrya.uptane.client.secondaries.bundle import Bundle
    from ostrya.uptane.client.secondaries.ecu_identity import EcuIdentity
    from ostrya.uptane.metadata.targets import Image, Targets
    from ostrya.uptane.trusted_set import Trusted

    Known: TypeAlias = Mapping[Repository, Trusted]

_ROOT, _TARGETS = Role.ROOT.value, Role.TARGETS.value
_MAX_ROOT_BYTES = 512 * 1024
_MAX_DIRECTOR_BYTES = 8 * 1024 * 1024


class Assigned(NamedTuple):
    """What an ECU shall run.

    Attributes:
        target: The image.
        is_ostree: Whether it is a commit.
        uri: Where it is; empty for its usual place.
    """

    target: Target
    is_ostree: bool
    uri: str = ""

    def image(self) -> Agreed:
        """Return it as an installer takes it."""
        from ostrya.uptane.metadata.targets import Image

        target = self.target
        told = Image(target.length, target.hashes)
        ecus = {target.serial: ""}
        return Agreed(
            target.name, target.length, target.hashes, ecus, target.release_counter,
            self.is_ostree, self.uri, told, told,
        )  # fmt: skip


def verify_all(
    known: Known, bundle: Bundle, ecu: EcuIdentity, running: Running | None, now: datetime
) -> tuple[Known, Assigned | None]:
    """Verify both repositories, and that they agree on what is for this ECU and for all others."""
    files = DirectorFiles.ALL if "timestamp" in bundle.director else DirectorFiles.TARGETS_ONLY
    installed = _installed(ecu, running)
    # Other ECUs are known to the Primary alone; of this one its own word counts.
    ecus = {**_others(bundle), ecu.serial: ecu.hardware_id}
    vehicle = Vehicle(ecus, installed, "", files)
    found = dict(known)

    def keep(accepted: Accepted) -> None:
        found[accepted.repository] = accepted.trusted

    steps = verify_fully(known[Repository.DIRECTOR], known[Repository.IMAGE], vehicle, now)
    verified = run_steps(steps, lambda wanted: find_file(bundle, wanted), keep)
    for one in verified.agreed:
        if ecu.serial in one.ecus:
            target = Target(
                ecu.serial, one.name, one.length, one.hashes, one.release_counter,
                verified.correlation_id,
            )  # fmt: skip
            return found, Assigned(target, one.is_ostree, one.uri)
    return found, None


def verify_director_alone(
    known: Known, bundle: Bundle, ecu: EcuIdentity, running: Running | None, now: datetime
) -> tuple[Known, Assigned | None]:
    """Verify the Director's Targets."""
    data = _require(bundle.director, _TARGETS, Repository.DIRECTOR)
    counter = running.release_counter if running is not None else None
    own = Ecu(ecu.serial, ecu.hardware_id, counter)
    director = known[Repository.DIRECTOR]
    director, found = verify_partially(director, Handed(data), own, now)
    if found is None:
        return {Repository.DIRECTOR: director}, None
    name, image = found
    return {Repository.DIRECTOR: director}, _assigned(
        ecu, name, image, correlation_id_of(targets_of(director))
    )


def verify_image_alone(
    known: Known, bundle: Bundle, ecu: EcuIdentity, running: Running | None, now: datetime
) -> tuple[Known, Assigned | None]:
    """Verify the Image repository; of what is made for this kind of ECU, the newest is meant."""
    found = run_steps(
        refresh_image(known[Repository.IMAGE], now),
        lambda wanted: find_file(bundle, wanted),
        lambda _accepted: None,
    )
    name, image = _newest(targets_of(found), ecu)
    counter = running.release_counter if running is not None else None
    checks.check_release_counter(image, counter, name, ecu.serial)
    return {Repository.IMAGE: found}, _assigned(ecu, name, image, "")


def find_file(bundle: Bundle, wanted: Wanted) -> bytes | None:
    """Return a file of a bundle by the name that a server would have it under."""
    files = bundle.files(wanted.repository)
    name = wanted.file.removesuffix(".json").rpartition("/")[2]
    version, _, role = name.partition(".")
    if role == _ROOT and version.isdecimal():
        return _find_root(bundle, wanted.repository, int(version))
    return files.get(unquote(role if role and version.isdecimal() else name))


def _find_root(bundle: Bundle, repository: Repository, version: int) -> bytes | None:
    found = bundle.roots(repository).get(version)
    newest = bundle.files(repository).get(_ROOT)
    if found is not None or newest is None:
        return found
    # Of a Primary that hands on no others.
    envelope = parse_envelope(newest, Dialect.UPTANE, _MAX_ROOT_BYTES, f"root {version}")
    return newest if envelope.signed.get("version") == version else None


def _newest(targets: Targets, ecu: EcuIdentity) -> tuple[str, Image]:
    """Return the image of the highest version, among those for a kind of ECU."""
    fit = {
        name: image
        for name, image in targets.images.items()
        if ecu.hardware_id in hardware_ids_of(image, name)
    }
    if not fit:
        raise TargetNotFound(f"the Image repository has nothing for a {ecu.hardware_id}")
    versions = {name: _version(image) for name, image in fit.items()}
    newest = max(versions.values())
    best = [name for name, version in versions.items() if version == newest]
    if len(best) > 1:
        raise MetadataMismatch(
            f"the Image repository has {len(best)} images for a {ecu.hardware_id},"
            " and does not say which is the newest"
        )
    return best[0], fit[best[0]]


def _version(image: Image) -> int:
    value = (image.custom or {}).get("version")
    text = value if isinstance(value, str) else ""
    return int(text) if text.isdecimal() and len(text) < 19 else -1


def _others(bundle: Bundle) -> dict[str, str]:
    """Return the ECUs that a Director speaks of, before anything of it is believed."""
    data = _require(bundle.director, _TARGETS, Repository.DIRECTOR)
    what = "Targets of the Director"
    envelope = parse_envelope(data, Dialect.UPTANE, _MAX_DIRECTOR_BYTES, what)
    found: dict[str, str] = {}
    for name, image in read_targets(envelope.signed, Dialect.UPTANE, what).images.items():
        found.update(ecus_of(image, name))
    return found


def _installed(ecu: EcuIdentity, running: Running | None) -> dict[str, Installed]:
    if running is None:
        return {}
    return {ecu.serial: Installed(running.name, running.hashes, running.release_counter)}


def _assigned(ecu: EcuIdentity, name: str, image: Image, correlation_id: str) -> Assigned:
    counter = release_counter_of(image, name)
    target = Target(ecu.serial, name, image.length, image.hashes, counter, correlation_id)
    return Assigned(target, is_ostree(image), uri_of(image))


def _require(files: Mapping[str, bytes], role: str, repository: Repository) -> bytes:
    data = files.get(role)
    if data is None:
        raise MetadataMismatch(f"no {role} of the {repository.shown} were handed on")
    return data
