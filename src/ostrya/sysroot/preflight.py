# SPDX-License-Identifier: Apache-2.0
"""What a deployment would take and change, said before it is made.

Nothing is deployed for it, and no ref is moved; of a commit that is not here yet, itself and its
directories are pulled, which the next cleanup deletes again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.boot.install import dir_bytes
from ostrya.boot.kargs import KernelArguments
from ostrya.formats.commit import KEY_ENDOFLIFE
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.pull.commits import require_newer
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.outlook import Outlook, look_ahead
from ostrya.pull.pull import pull
from ostrya.repo.free_space import format_size, min_free_bytes
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_commit
from ostrya.repo.refs import require_rev
from ostrya.sysroot import paths
from ostrya.sysroot.boot_space import MARGIN_BYTES
from ostrya.sysroot.commit_needs import (
    file_bytes,
    kernel_files,
    missing_files,
    read_sizes,
    refusals,
)
from ostrya.sysroot.deploy import require_stateroot_dir
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.etc_ahead import EtcStep, plan_etc_ahead
from ostrya.sysroot.order import Retain, with_new_deployment
from ostrya.sysroot.paths import DeploymentName
from ostrya.sysroot.upgrade import after_end_of_life
from ostrya.sysroot.write_deployments import may_prune_early

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sysroot.deploy import DeployWish
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.sysroot.upgrade import FetchHow, Target

_CONFLICT = "conflict"


class Need(NamedTuple):
    """What is needed of a disk.

    Attributes:
        needed_bytes: How much; None if nobody says.
        room_bytes: How much there is.
        freed_bytes: How much there will be in addition once what goes is gone.
        frees_first: Whether that goes first where there is not enough.
    """

    needed_bytes: int | None
    room_bytes: int
    freed_bytes: int = 0
    frees_first: bool = False

    @property
    def fits(self) -> bool:
        """Whether it is there, as far as one can say."""
        room = self.room_bytes + (self.freed_bytes if self.frees_first else 0)
        return self.needed_bytes is None or self.needed_bytes <= room

    def as_json(self) -> dict[str, object]:
        """Return it for programs to read."""
        return {**self._asdict(), "fits": self.fits}


class Manner(NamedTuple):
    """How a deployment would be made.

    Attributes:
        retain: Which deployments stay.
        early_prune: Whether what goes may go first, where ``/boot`` is too small for both.
        staged: Whether it becomes the default at shutdown only; then nothing goes before.
    """

    retain: Retain = Retain()
    early_prune: bool = False
    staged: bool = False


class Preflight(NamedTuple):
    """What would happen.

    Attributes:
        stateroot: The system.
        checksum: The commit.
        version: The version that it says it is.
        is_new: Whether it is another commit than that of the deployment gone on from.
        end_of_life: What it says of the end of its ref.
        fetch_files: How many files are not here.
        fetch_bytes: What comes over the network; None if nobody says.
        by_delta: Whether it comes as a static delta.
        repo: What is needed of the repository's disk.
        boot: What is needed of ``/boot``; None where that is no file system of its own.
        etc: What becomes of files in ``/etc``, conflicts first.
        kargs_added: Kernel arguments that the deployment gone on from has not.
        kargs_removed: Those that only that one has.
        going: Deployments that are deleted.
        refusals: Why the commit can be no deployment at all.
    """

    stateroot: str
    checksum: Checksum
    version: str | None
    is_new: bool
    end_of_life: str | None
    fetch_files: int
    fetch_bytes: int | None
    by_delta: bool
    repo: Need
    boot: Need | None
    etc: tuple[EtcStep, ...]
    kargs_added: tuple[str, ...]
    kargs_removed: tuple[str, ...]
    going: tuple[DeploymentName, ...]
    refusals: tuple[str, ...] = ()

    def with_nothing_deployed(self) -> Preflight:
        """Return what would happen where a commit that is deployed already is left at that."""
        return self._replace(etc=(), kargs_added=(), kargs_removed=(), going=(), boot=None)

    @property
    def obstacles(self) -> list[str]:
        """What stands in the way, in words."""
        found = list(self.refusals)
        found += [f"/etc/{step.path}: {step.why}" for step in self.etc if step.outcome == _CONFLICT]
        for where, need in (("the repository", self.repo), ("/boot", self.boot)):
            if need is not None and not need.fits:
                found.append(
                    f"{where} has room for {format_size(need.room_bytes)}, and "
                    f"{format_size(need.needed_bytes or 0)} are needed"
                )
        return found

    def as_json(self) -> dict[str, object]:
        """Return it for programs to read."""
        shown = self._asdict()
        # They are among the obstacles.
        del shown["refusals"]
        return {
            **shown,
            "repo": self.repo.as_json(),
            "boot": None if self.boot is None else self.boot.as_json(),
            "etc": [step._asdict() for step in self.etc],
            "going": [str(name) for name in self.going],
            "obstacles": self.obstacles,
        }


def check_upgrade(sysroot: Sysroot, target: Target, how: FetchHow) -> tuple[Target, Outlook]:
    """Find out what an upgrade would go over to; its directories are here then.

    Returns:
        What is followed, another ref if the old one has come to its end, and what is there.

    Raises:
        OstryaError: It cannot be found out, or the upgrade would be refused.
    """
    repo = sysroot.repo
    override = target.origin.override_commit
    outlook = _look(repo, target, override, how)
    seen = outlook.commit if override is None else require_rev(repo, target.refspec)
    followed = after_end_of_life(repo, target, seen)
    if followed is not target:
        target = followed
        if override is None:
            outlook = _look(repo, target, None, how)
    current = target.merge.checksum
    if outlook.commit != current and not how.allow_downgrade:
        commits = [load_commit(repo, checksum) for checksum in (outlook.commit, current)]
        require_newer(outlook.commit, commits[0], current, commits[1])
    return target, outlook


def _look(repo: Repository, target: Target, override: Checksum | None, how: FetchHow) -> Outlook:
    remote, ref = target.remote_ref
    if remote is None or not how.pulls:
        return Outlook(override or require_rev(repo, target.refspec))
    outlook = look_ahead(repo, remote, ref, commit=override, network=how.network)
    commit = outlook.commit
    if not has_object(repo, ObjectName(commit, ObjectType.COMMIT)) or is_partial(repo, commit):
        floor = None if how.allow_downgrade else target.merge.checksum
        options = PullOptions(trees_only=True, timestamp_check_from=floor)
        pull(repo, remote, [RefRequest(commit)], options, how.network)
    return outlook


def plan_deployment(
    sysroot: Sysroot,
    loaded: Loaded,
    wish: DeployWish,
    merge: Deployment | None,
    *,
    manner: Manner = Manner(),  # noqa: B008  # a tuple
    outlook: Outlook | None = None,
) -> Preflight:
    """Say what a deployment would take and change.

    Args:
        sysroot: Where.
        loaded: What it has.
        wish: What is to be deployed; the commit and its directories are here.
        merge: The deployment that would be gone on from.
        manner: How it would be made.
        outlook: What the remote has for it; None for a commit that is here.

    Raises:
        SysrootError: There is no such system.
        ObjectNotFound: A directory of the commit is not here.
    """
    require_stateroot_dir(sysroot, wish.stateroot)
    repo, checksum = sysroot.repo, wish.checksum
    metadata = load_commit(repo, checksum).metadata
    missing = missing_files(repo, checksum)
    fetch_bytes, unpacked = missing.fetch_bytes, missing.unpacked_bytes
    by_delta = missing.files > 0 and outlook is not None and outlook.delta_bytes is not None
    if by_delta and outlook is not None:
        fetch_bytes = outlook.delta_bytes
        unpacked = outlook.unpacked_bytes if unpacked is None else unpacked
    new = Deployment(wish.stateroot, DeploymentName(checksum, 0), "")
    after = with_new_deployment(loaded.all, new, merge, manner.retain)
    going = [one for one in loaded.all if not any(one is other for other in after)]
    old_kargs = (None if merge is None else merge.kargs) or KernelArguments()
    new_kargs = old_kargs if wish.kargs is None else wish.kargs.without("ostree")
    return Preflight(
        wish.stateroot,
        checksum,
        metadata.lookup("version", "s"),
        merge is None or merge.checksum != checksum,
        metadata.lookup(KEY_ENDOFLIFE, "s"),
        missing.files,
        fetch_bytes,
        by_delta,
        Need(unpacked, _room(repo.dir_fd) - min_free_bytes(repo)),
        _boot_need(sysroot, loaded, wish, going, manner) if sysroot.has_own_boot else None,
        () if merge is None else tuple(plan_etc_ahead(sysroot, merge, checksum)),
        tuple(str(one) for one in new_kargs if one not in old_kargs),
        tuple(str(one) for one in old_kargs if one not in new_kargs),
        tuple(one.name for one in going),
        refusals(repo, checksum),
    )


def _boot_need(
    sysroot: Sysroot, loaded: Loaded, wish: DeployWish, going: list[Deployment], manner: Manner
) -> Need:
    """Say what the kernel of a commit needs of ``/boot``, where those of others are already."""
    repo = sysroot.repo
    files = kernel_files(repo, wish.checksum)
    room = _room(sysroot.boot_fd)
    staying = {one.bootcsum for one in loaded.all if one not in going}
    freed = sum(_kernel_bytes(sysroot, one) for one in going if one.bootcsum not in staying)
    for one in loaded.deployments:
        if one.stateroot == wish.stateroot and _has_kernel(repo, one, files):
            return Need(0, room, 0 if one in going else freed)
    # Something has to be booted meanwhile.
    frees_first = (
        not manner.staged
        and may_prune_early(sysroot, asked=manner.early_prune)
        and any(one.bootcsum in staying for one in loaded.deployments)
    )
    sizes = read_sizes(repo, wish.checksum)
    known = [file_bytes(repo, file, sizes) for file in files]
    block = os.fstatvfs(sysroot.boot_fd).f_bsize
    needed: int | None = 0
    for size in known:
        needed = None if size is None or needed is None else needed + -(-size // block) * block
    return Need(needed, max(0, room - MARGIN_BYTES), freed, frees_first)


def _has_kernel(repo: Repository, deployment: Deployment, files: tuple[Checksum, ...]) -> bool:
    if not has_object(repo, ObjectName(deployment.checksum, ObjectType.COMMIT)):
        return False
    return kernel_files(repo, deployment.checksum) == files


def _kernel_bytes(sysroot: Sysroot, deployment: Deployment) -> int:
    folder = paths.kernel_dir(deployment.stateroot, deployment.bootcsum).removeprefix("boot/")
    block = os.fstatvfs(sysroot.boot_fd).f_bsize
    return dir_bytes(folder, sysroot.boot_fd, block)


def _room(fd: int) -> int:
    found = os.fstatvfs(fd)
    return found.f_bavail * found.f_frsize
