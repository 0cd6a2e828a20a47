# SPDX-License-Identifier: Apache-2.0
"""From what a deployment follows to the one that comes after it.

::

    find_target      which deployment is gone on from, and what it follows
    fetch_upgrade    the newest commit of that, pulled; older ones are refused
    deploy_upgrade   a deployment of it, booted by default

A commit may say that its ref has come to its end and another one takes its place: then that one is
followed, from the next deployment on.

Source: ostree-sysroot-upgrader.c.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ostrya.errors import FetchError, SysrootError
from ostrya.formats.checksum import is_checksum
from ostrya.formats.commit import KEY_ENDOFLIFE, KEY_ENDOFLIFE_REBASE
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import check_ref_name, parse_refspec
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.pull.commits import require_newer
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.outlook import remote_commit
from ostrya.pull.pull import pull
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_commit
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import require_rev
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.etc_ahead import ETC_PLACES, require_mergeable
from ostrya.sysroot.order import merge_deployment, with_new_deployment
from ostrya.sysroot.stage import stage_deployment
from ostrya.sysroot.write_deployments import write_deployments

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.pull.network import NetworkOptions
    from ostrya.repo.repository import Repository
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.origin import Origin
    from ostrya.sysroot.sysroot import Sysroot

log = logging.getLogger(__name__)


class Target(NamedTuple):
    """Where an upgrade begins, and what it follows.

    Attributes:
        merge: The deployment that is gone on from.
        origin: That of the deployment to come.
        refspec: What is followed.
    """

    merge: Deployment
    origin: Origin
    refspec: str

    @property
    def stateroot(self) -> str:
        """The system that is upgraded."""
        return self.merge.stateroot

    @property
    def remote_ref(self) -> tuple[str | None, str]:
        """The remote, None for a ref of the repository itself, and the ref."""
        return parse_refspec(self.refspec)

    def following(self, refspec: str) -> Target:
        """Return it following another ref."""
        return self._replace(origin=self.origin.with_refspec(refspec), refspec=refspec)


class FetchHow(NamedTuple):
    """How the next commit is got.

    Attributes:
        pulls: Ask the remote; else what was pulled before is taken.
        allow_downgrade: Take commits older than the one that is gone on from.
        checks_etc: Refuse a commit that ``/etc`` cannot be merged with, before its files come.
        network: How servers are spoken to.
    """

    pulls: bool = True
    allow_downgrade: bool = False
    checks_etc: bool = False
    network: NetworkOptions | None = None


class Upgrade(NamedTuple):
    """A commit to go over to; all it holds is here.

    Attributes:
        target: What it was found for; its origin is the new deployment's.
        checksum: The commit.
        end_of_life: What the commit says of the end of its ref; None if that goes on.
    """

    target: Target
    checksum: Checksum
    end_of_life: str | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is another one than that of the deployment gone on from."""
        return self.checksum != self.target.merge.checksum


def find_target(
    loaded: Loaded,
    stateroot: str | None = None,
    *,
    override: Checksum | None = None,
    configured: bool = True,
) -> Target:
    """Find the deployment that an upgrade goes on from, and what it follows.

    Args:
        loaded: What there is.
        stateroot: The system; None for the running one.
        override: Go over to this commit, and stay there.
        configured: Refuse an origin that says that something has to be done first.

    Raises:
        NotBooted: No system is named, and none is running.
        SysrootError: There is nothing to go on from, or nothing that is followed.
    """
    booted = loaded.booted
    if stateroot is None:
        if booted is None:
            raise NotBooted(
                "Not currently booted into an OSTree system and no OS specified",
                hint="say which system with --os=NAME",
            )
        stateroot = booted.stateroot
    if not stateroot:
        raise SysrootError("Invalid empty osname")
    merge = merge_deployment(loaded, stateroot)
    if merge is None:
        raise SysrootError(f"No previous deployment for OS '{stateroot}'")
    origin = merge.origin
    if origin is None:
        raise SysrootError(f"No origin known for deployment {merge.name}")
    if configured and origin.unconfigured_state is not None:
        raise SysrootError(f"origin unconfigured-state: {origin.unconfigured_state}")
    if origin.refspec is None:
        raise SysrootError(
            "No origin/refspec in current deployment origin; cannot upgrade via ostree",
            hint="say what it follows with: ostrya admin switch, or admin set-origin",
        )
    return Target(merge, origin.for_next().with_override(override), origin.refspec)


def switch_target(target: Target, wanted: str) -> Target:
    """Return a target that follows another ref; ``REMOTE:`` stands for the same ref elsewhere.

    Raises:
        RefNameError: It is no refspec.
        SysrootError: It is followed already.
    """
    old_remote, old_ref = target.remote_ref
    if wanted.endswith(":"):
        remote: str | None = wanted[:-1]
        ref = old_ref
    else:
        remote, ref = parse_refspec(wanted)
    remote = remote or old_remote
    refspec = _refspec(remote, ref)
    # For a name that no remote or ref can have.
    parse_refspec(refspec)
    if refspec == target.refspec:
        raise SysrootError(f"Old and new refs are equal: {refspec}")
    # Of what else the old origin says, nothing is true of what is followed now.
    return Target(target.merge, type(target.origin).following(refspec), refspec)


def fetch_upgrade(
    sysroot: Sysroot,
    target: Target,
    how: FetchHow = FetchHow(),  # noqa: B008  # a tuple
    *,
    progress: ProgressSink = NULL_PROGRESS,
) -> Upgrade:
    """Get the newest commit of what is followed, or the one to stay at.

    Args:
        sysroot: Where; it is locked.
        target: What is followed.
        how: Whether and how the remote is asked.
        progress: Told about objects.

    Raises:
        EtcConflict: ``/etc`` cannot be merged with it; asked for by ``checks_etc``.
        OlderCommit: It is older than the one that is gone on from.
        RefNotFound: The ref was never pulled.
        OstryaError: It cannot be pulled.
    """
    repo = sysroot.repo
    override = target.origin.override_commit
    _pull(sysroot, target, override, how, progress)
    followed = after_end_of_life(repo, target, require_rev(repo, target.refspec))
    if followed is not target:
        log.info("ref has come to its end old=%s new=%s", target.refspec, followed.refspec)
        target = followed
        if override is None:
            _pull(sysroot, target, None, how, progress)
    remote, ref = target.remote_ref
    if override is None:
        checksum = require_rev(repo, target.refspec)
    else:
        checksum = override
        # To be sure that it is here, before anything points to it.
        load_commit(repo, checksum)
        write_ref(repo, remote, ref, checksum)
    if checksum != target.merge.checksum and not how.allow_downgrade:
        _require_newer(repo, checksum, target.merge.checksum)
    end = load_commit(repo, checksum).metadata.lookup(KEY_ENDOFLIFE, "s")
    return Upgrade(target, checksum, end)


def after_end_of_life(repo: Repository, target: Target, checksum: Checksum) -> Target:
    """Return what is followed once a commit of the ref is known: it may name another ref.

    Args:
        repo: Where the commit is.
        target: What is followed, with this ref.
        checksum: The commit that the ref stands for, even if one stays at another.

    Raises:
        SysrootError: The commit names something that is no ref.
    """
    rebase: str | None = load_commit(repo, checksum).metadata.lookup(KEY_ENDOFLIFE_REBASE, "s")
    if rebase is None:
        return target
    return target.following(_refspec(target.remote_ref[0], _check_rebase(rebase)))


def deploy_upgrade(
    sysroot: Sysroot,
    loaded: Loaded,
    upgrade: Upgrade,
    *,
    early_prune: bool = False,
    stage: bool = False,
    progress: ProgressSink = NULL_PROGRESS,
) -> Loaded:
    """Make a deployment of what was fetched, and boot it by default.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        upgrade: What was fetched.
        early_prune: Whether what goes may go first, where ``/boot`` is too small for both.
        stage: Whether it becomes the default at shutdown only.
        progress: Told about files.

    Raises:
        SysrootError: ``/etc`` cannot be merged.
        BootloaderError: The commit has no kernel, or the boot loader cannot be told.
        OSError: Something could not be written.
    """
    merge, origin = upgrade.target.merge, upgrade.target.origin
    wish = DeployWish(merge.stateroot, upgrade.checksum, origin)
    if stage:
        return stage_deployment(sysroot, loaded, wish, merge, progress=progress)
    new = deploy(sysroot, loaded, wish, merge, progress=progress)
    deployments = with_new_deployment(loaded.all, new, merge)
    return write_deployments(sysroot, loaded, deployments, early_prune=early_prune)


def _pull(
    sysroot: Sysroot,
    target: Target,
    override: Checksum | None,
    how: FetchHow,
    progress: ProgressSink,
) -> None:
    remote, ref = target.remote_ref
    if remote is None or not how.pulls:
        return
    options = PullOptions(
        timestamp_check_from=None if how.allow_downgrade else target.merge.checksum
    )
    if how.checks_etc:
        _check_etc(sysroot, target, override, options, how.network)
    request = RefRequest(ref if override is None else override)
    pull(sysroot.repo, remote, [request], options, how.network, progress=progress)


def _check_etc(
    sysroot: Sysroot,
    target: Target,
    commit: Checksum | None,
    options: PullOptions,
    network: NetworkOptions | None,
) -> None:
    """Refuse what ``/etc`` cannot be merged with, as soon as its directories are here."""
    repo = sysroot.repo
    remote, ref = target.remote_ref
    if remote is None:
        return
    commit = commit or remote_commit(repo, remote, ref, network=network)
    if commit == target.merge.checksum:
        # Nothing is going to be deployed.
        return
    is_here = has_object(repo, ObjectName(commit, ObjectType.COMMIT))
    if not is_here or is_partial(repo, commit):
        only_etc = options._replace(trees_only=True, subpaths=ETC_PLACES)
        try:
            pull(repo, remote, [RefRequest(commit)], only_etc, network)
        except FetchError as exc:
            # A remote may have deltas, and no directories one by one.
            log.info("directories cannot be looked at before the rest reason=%s", exc)
            return
    if load_commit(repo, commit).metadata.lookup(KEY_ENDOFLIFE_REBASE, "s") is None:
        require_mergeable(sysroot, target.merge, commit)


def _check_rebase(ref: str) -> str:
    check_ref_name(ref)
    if is_checksum(ref):
        raise SysrootError(f"Invalid ostree.endoflife-rebase: '{ref}' is no ref")
    return ref


def _require_newer(repo: Repository, checksum: Checksum, current: Checksum) -> None:
    require_newer(checksum, load_commit(repo, checksum), current, load_commit(repo, current))


def _refspec(remote: str | None, ref: str) -> str:
    return ref if remote is None else f"{remote}:{ref}"
