# SPDX-License-Identifier: Apache-2.0
"""Small changes to the deployments that there are: order, number, arguments, origin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.bls import Entry
from ostrya.errors import SysrootError
from ostrya.formats.refs import check_remote_name, parse_refspec
from ostrya.repo.remotes import Setting, add_remote
from ostrya.sysroot.deploy import write_origin
from ostrya.sysroot.errors import DeploymentNotFound
from ostrya.sysroot.order import neighbours
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.staged import read_staged, write_staged
from ostrya.sysroot.trial import plan_trial
from ostrya.sysroot.write_deployments import touch_sysroot, write_deployments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ostrya.boot.kargs import KernelArguments
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_NUMBER = re.compile(r"-?[0-9]+")
_MOST_DIGITS = 18
_WORDS = ("booted", "pending", "rollback")


def find_index(loaded: Loaded, text: str) -> int:
    """Return the place of a deployment that is named by it, or as booted, pending or rollback.

    Raises:
        DeploymentNotFound: There is none.
        SysrootError: It is no name of one.
    """
    if text in _WORDS:
        return _find_word(loaded, text)
    if not _NUMBER.fullmatch(text):
        raise SysrootError(
            f"Invalid index: {text}", hint="`ostrya admin status` lists deployments from 0 on"
        )
    if len(text) > _MOST_DIGITS:
        raise SysrootError(f"Index too large: {text}")
    index = int(text)
    count = len(loaded.all)
    if index < 0:
        raise DeploymentNotFound(f"Invalid index {index}")
    if index >= count:
        raise DeploymentNotFound(f"Out of range deployment index {index}, expected < {count}")
    return index


def _find_word(loaded: Loaded, word: str) -> int:
    booted = loaded.booted
    found: Deployment | None = None
    if booted is not None:
        around = neighbours(loaded, booted.stateroot)
        found = {"booted": booted, "pending": around.pending, "rollback": around.rollback}[word]
    if found is None:
        raise DeploymentNotFound(f"Deployment type not found: {word}")
    return loaded.all.index(found)


def undeploy(sysroot: Sysroot, loaded: Loaded, index: int) -> tuple[Deployment, Loaded]:
    """Delete a deployment; return it, and what there is then.

    Raises:
        SysrootError: It is running, or what a trial falls back to.
    """
    gone = loaded.all[index]
    if gone.booted:
        raise SysrootError(
            f"Cannot undeploy currently booted deployment {index}",
            hint="boot another one first: ostrya admin set-default",
        )
    if loaded.booted is not None and gone is _fallback(sysroot, loaded):
        raise SysrootError(
            f"Cannot undeploy {gone.name}: what runs is on trial, and falls back to it",
            hint="end the trial first: ostrya boot mark-good",
        )
    left = [one for one in loaded.all if one is not gone]
    return gone, write_deployments(sysroot, loaded, left)


def _fallback(sysroot: Sysroot, loaded: Loaded) -> Deployment | None:
    """Return what a trial that goes on falls back to."""
    plan = plan_trial(sysroot, loaded.deployments)
    if plan is None or not plan.trial.on_trial or plan.fallback is None:
        return None
    return loaded.deployments[plan.fallback]


def set_default(sysroot: Sysroot, loaded: Loaded, index: int) -> Loaded:
    """Make a deployment the one that is booted next.

    Raises:
        SysrootError: It is staged, and will be without that.
    """
    chosen = loaded.all[index]
    if chosen.staged:
        raise SysrootError("A staged deployment becomes the default at shutdown")
    others = [one for one in loaded.all if one is not chosen and not one.staged]
    return write_deployments(sysroot, loaded, [chosen, *others])


def rollback_index(loaded: Loaded) -> int:
    """Return the place of what was booted before; where nothing runs, of the second deployment.

    Raises:
        DeploymentNotFound: There is nothing to go back to.
    """
    booted = loaded.booted or (loaded.deployments[0] if loaded.deployments else None)
    if booted is not None:
        is_behind = False
        for one in loaded.deployments:
            if is_behind and one.stateroot == booted.stateroot:
                return loaded.all.index(one)
            is_behind = is_behind or one is booted
        # It may be that another one is booted next, and this one is what to go back to.
        ahead = neighbours(loaded, booted.stateroot).pending
        if booted.booted and ahead is not None and not ahead.staged:
            return loaded.all.index(booted)
    raise DeploymentNotFound(
        "There is no deployment to roll back to", hint="a second one is there after an upgrade"
    )


def set_pinned(sysroot: Sysroot, deployment: Deployment, *, pinned: bool) -> Deployment:
    """Keep a deployment from being cleaned away, or let go of it.

    Raises:
        SysrootError: It is staged.
    """
    if deployment.staged:
        raise SysrootError("Cannot pin staged deployment")
    origin = deployment.origin or Origin.empty()
    deployment = deployment._replace(origin=origin.with_pinned(pinned=pinned))
    write_origin(sysroot, deployment)
    touch_sysroot(sysroot)
    return deployment


def set_kargs(
    sysroot: Sysroot,
    loaded: Loaded,
    change: Callable[[int, KernelArguments], KernelArguments],
) -> Loaded:
    """Give deployments other kernel arguments; their directories stay as they are.

    A staged one is booted with them once it is finalized.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        change: Gives the new arguments of a deployment, told its place and its old ones.

    Raises:
        SysrootError: There is none.
        KernelArgumentError: No boot entry can hold what is given.
    """
    if not loaded.all:
        raise SysrootError("Unable to find a deployment in sysroot")
    lines = []
    for at, one in enumerate(loaded.all):
        old = _command_line(sysroot, loaded, one)
        new = change(at, old)
        lines.append(new if new == old else new.check())
    changed = []
    for one, line in zip(loaded.all, lines, strict=True):
        entry = one.entry or Entry({})
        fields = {**entry.fields, "options": str(line)}
        changed.append(one._replace(entry=Entry(fields, entry.overlay_initrds)))
    state = read_staged(sysroot) if loaded.staged is not None else None
    if state is not None:
        write_staged(sysroot, state._replace(kargs=tuple(map(str, lines[0]))))
        touch_sysroot(sysroot)
    return write_deployments(sysroot, loaded, changed)


def _command_line(sysroot: Sysroot, loaded: Loaded, deployment: Deployment) -> KernelArguments:
    """Return the kernel's arguments; a staged deployment may have those of the one before."""
    if not deployment.staged or "options" in (deployment.entry or Entry({})).fields:
        return deployment.command_line
    state = read_staged(sysroot)
    merge = None if state is None else state.merge
    for one in loaded.deployments:
        if merge is not None and (one.stateroot, one.name) == (merge.stateroot, merge.name):
            return one.command_line
    return deployment.command_line


def set_origin(
    sysroot: Sysroot,
    deployment: Deployment,
    remote: str,
    url: str,
    *,
    branch: str | None = None,
    settings: Iterable[Setting] = (),
) -> Deployment:
    """Let a deployment follow a ref of a remote, which is added unless it is there.

    Args:
        sysroot: Where; it is locked.
        deployment: Which one.
        remote: The remote's name.
        url: Its address.
        branch: The ref; None for the one that is followed now.
        settings: Other settings of the remote.

    Raises:
        SysrootError: No ref is named, and none is followed.
    """
    check_remote_name(remote)
    old = None if deployment.origin is None else deployment.origin.refspec
    if branch is None:
        if old is None:
            raise SysrootError("No host refspec found, branch is required")
        branch = parse_refspec(old)[1]
    refspec = f"{remote}:{branch}"
    parse_refspec(refspec)
    add_remote(sysroot.repo, remote, url, settings, keep=True)
    # What is true of the directory stays true, whatever it follows.
    unlocked = None if deployment.origin is None else deployment.origin.unlocked
    origin = Origin.following(refspec).with_unlocked(unlocked)
    origin = origin.with_pinned(pinned=deployment.pinned)
    deployment = deployment._replace(origin=origin)
    write_origin(sysroot, deployment)
    touch_sysroot(sysroot)
    return deployment
