# SPDX-License-Identifier: Apache-2.0
"""The newest metadata of one repository: roots one after the other, timestamp, snapshot, Targets.

Source: Uptane Standard 2.1.0, section 5.4.4.2, steps 2 to 5 and 6 to 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ostrya.uptane import checks, trusted_set
from ostrya.uptane.errors import MetadataInvalid, TooManyRoots
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.metadata.file_names import TIMESTAMP_FILE, role_file, root_file
from ostrya.uptane.steps import Accepted, Wanted

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from ostrya.uptane.metadata.targets import Targets
    from ostrya.uptane.steps import Repository, Step
    from ostrya.uptane.trusted_set import Trusted

Refreshing: TypeAlias = "Generator[Step, bytes | None, Trusted]"


def refresh_roots(repository: Repository, found: Trusted, now: datetime) -> Refreshing:
    """Follow a repository to its newest root.

    Raises:
        UptaneError: A root is refused, the newest one has expired, or there is no end of them.
    """
    for _ in range(found.limits.roots):
        file = root_file(found.root.header.version + 1)
        data = yield Wanted(repository, file, found.limits.root_bytes, may_be_absent=True)
        if data is None:
            trusted_set.finish_roots(found, now)
            return found
        found = trusted_set.accept_root(found, data)
        yield Accepted(repository, found)
    raise TooManyRoots(
        f"the {found.name} has more than {found.limits.roots} new roots",
        hint="they are kept; the next attempt goes on from there",
    )


def refresh_timestamp(repository: Repository, found: Trusted, now: datetime) -> Refreshing:
    """Take the newest timestamp."""
    data = yield from require(repository, TIMESTAMP_FILE, found.limits.timestamp_bytes)
    found = trusted_set.accept_timestamp(found, data, now)
    yield Accepted(repository, found)
    return found


def refresh_snapshot(repository: Repository, found: Trusted, now: datetime) -> Refreshing:
    """Take the snapshot that the timestamp names, unless it is known; it has to be fresh anyway."""
    if trusted_set.has_newest_snapshot(found) and found.snapshot is not None:
        checks.check_unexpired(found.snapshot.header, now, found.what(Role.SNAPSHOT.value))
        return found
    version = found.timestamp.snapshot.version if found.timestamp else 0
    file = role_file(found.dialect, found.root, Role.SNAPSHOT.value, version)
    data = yield from require(repository, file, trusted_set.snapshot_bytes(found))
    found = trusted_set.accept_snapshot(found, data, now)
    yield Accepted(repository, found)
    return found


def refresh_targets(repository: Repository, found: Trusted, now: datetime) -> Refreshing:
    """Take the Targets that the snapshot lists, unless they are known; they have to be fresh."""
    if trusted_set.has_newest_targets(found):
        checks.check_unexpired(targets_of(found).header, now, found.what(Role.TARGETS.value))
        return found
    data = yield from fetch_targets(repository, found)
    found = trusted_set.accept_targets(found, data, now)
    yield Accepted(repository, found)
    return found


def fetch_targets(repository: Repository, found: Trusted) -> Generator[Step, bytes | None, bytes]:
    """Fetch Targets, as the snapshot lists them if there is one."""
    name = Role.TARGETS.value
    version, limit = 0, found.limits.targets_bytes
    if found.snapshot is not None:
        version = trusted_set.listed_file(found, name).version
        limit = trusted_set.targets_bytes(found, name)
    file = role_file(found.dialect, found.root, name, version) if version else f"{name}.json"
    return (yield from require(repository, file, limit))


def require(
    repository: Repository, file: str, max_bytes: int
) -> Generator[Step, bytes | None, bytes]:
    """Fetch a file that has to be there.

    Raises:
        MetadataInvalid: There is none.
    """
    data = yield Wanted(repository, file, max_bytes)
    if data is None:
        raise MetadataInvalid(f"the {repository.shown} has no {file}")
    return data


def targets_of(found: Trusted) -> Targets:
    """Return Targets that are known.

    Raises:
        MetadataInvalid: None are.
    """
    if found.targets is None:
        raise MetadataInvalid(f"no Targets of the {found.name} are known")
    return found.targets
