# SPDX-License-Identifier: Apache-2.0
"""Which deployments there are after a change, and in which order. Pure.

::

    pending … | the running one | rollback …
              └ or, where none is running, the one that was merged from

Source: ostree-sysroot.c (ostree_sysroot_simple_write_deployment, query_deployments_for).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.errors import DeploymentNotFound, NotBooted
from ostrya.sysroot.paths import check_stateroot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded


class Retain(NamedTuple):
    """Which deployments stay, beside those that always do.

    Attributes:
        all: All of them.
        pending: Those before the running one.
        rollback: Those behind it.
        not_as_default: The new one goes behind the running one.
    """

    all: bool = False
    pending: bool = False
    rollback: bool = False
    not_as_default: bool = False


def with_new_deployment(
    deployments: Sequence[Deployment],
    new: Deployment,
    merge: Deployment | None = None,
    retain: Retain = Retain(),  # noqa: B008  # a tuple
) -> list[Deployment]:
    """Return the deployments once there is a new one.

    Those that stay are the running one, the one merged from, those that are pinned, those of other
    systems, and what ``retain`` says.
    """
    booted = next((one for one in deployments if one.booted), None)
    stateroot = new.stateroot
    keeps_all = retain.all
    if booted is None and merge is None and (retain.pending or retain.rollback):
        # There is nothing to be before or behind of.
        keeps_all = True
    result = [] if retain.not_as_default else [new]
    is_added = not retain.not_as_default
    crossover = booted or merge
    is_behind = False
    for one in deployments:
        is_crossover = crossover is not None and one.is_same(crossover)
        is_behind = is_behind or is_crossover
        if (
            keeps_all
            or one.pinned
            or one.stateroot != stateroot
            or one.booted
            or (merge is not None and one.is_same(merge))
            or (retain.rollback if is_behind else retain.pending)
        ):
            result.append(one)
        if is_behind and not is_added:
            result.append(new)
            is_added = True
    return result if is_added else [*result, new]


class Neighbours(NamedTuple):
    """The deployments around the running one.

    Attributes:
        pending: What is booted next, if that is another one.
        rollback: What was booted before.
    """

    pending: Deployment | None
    rollback: Deployment | None


def neighbours(loaded: Loaded, stateroot: str) -> Neighbours:
    """Return the first deployment of a system before, and behind, the running one."""
    is_behind = False
    pending = rollback = None
    for one in loaded.all:
        if one.stateroot != stateroot:
            continue
        if one.booted:
            is_behind = True
        elif is_behind:
            rollback = rollback or one
        else:
            pending = pending or one
    return Neighbours(pending, rollback)


def merge_deployment(loaded: Loaded, stateroot: str) -> Deployment | None:
    """Return the deployment whose ``/etc`` the next one of a system goes on with.

    That is the running one if it is of this system, else the one that is booted next.
    """
    booted = loaded.booted
    if booted is not None and booted.stateroot == stateroot:
        return booted
    return neighbours(loaded, stateroot).pending


def require_stateroot(loaded: Loaded, stateroot: str | None) -> str:
    """Return the system that is meant: the one that is named, or the running one.

    Raises:
        NotBooted: None is named, and none is running.
        SysrootError: There can be none of that name.
    """
    if stateroot is not None:
        return check_stateroot(stateroot)
    booted = loaded.booted
    if booted is None:
        raise NotBooted(
            "Not currently booted into an OSTree system and no --os= argument given",
            hint="say which system with --os=NAME",
        )
    return booted.stateroot


def require_booted(loaded: Loaded) -> Deployment:
    """Return the running deployment.

    Raises:
        NotBooted: None is running.
    """
    booted = loaded.booted
    if booted is None:
        raise NotBooted("Not currently booted into an OSTree system")
    return booted


def require_merge_deployment(loaded: Loaded, stateroot: str | None) -> Deployment:
    """Return the running deployment, or that of a named system that the next one goes on from.

    Raises:
        NotBooted: None is named, and none is running.
        DeploymentNotFound: The system has none.
    """
    name = require_stateroot(loaded, stateroot)
    found = merge_deployment(loaded, name)
    if found is None:
        raise DeploymentNotFound(f"No deployment for OS '{name}'")
    return found
