# SPDX-License-Identifier: Apache-2.0
"""OSTree commits as images: pulled by their checksum, deployed, and judged once they have booted.

What is pulled is vouched for by its checksum, on which Director and Image repository agree; so the
server that has the objects needs no signatures of its own. A ref keeps what was pulled from being
pruned, and lets the next pull find a delta from it.

On a running system a deployment is staged, and becomes the default at shutdown. Where there is
automatic rollback, an update has succeeded once its start was found good, and has failed if the
loader fell back; the ledger says why.

With ``booted = "staged"`` the sysroot is a directory that nothing runs from: the default deployment
counts as running as soon as somebody plays a restart.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya.errors import FetchError, OstryaError, SysrootError
from ostrya.formats.checksum import Checksum, is_checksum
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.pull.network import NetworkOptions
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.outlook import look_ahead
from ostrya.pull.pull import pull
from ostrya.repo.free_space import min_free_bytes
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import resolve_ref
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.sysroot.admission import require_admissible
from ostrya.sysroot.cleanup import clean_up
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.errors import TrialPending
from ostrya.sysroot.ledger import read_ledger
from ostrya.sysroot.loading import load_sysroot
from ostrya.sysroot.lock import sysroot_lock
from ostrya.sysroot.order import merge_deployment, with_new_deployment
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.preflight import Manner, plan_deployment
from ostrya.sysroot.stage import require_running, stage_deployment
from ostrya.sysroot.staged import failure_reason
from ostrya.sysroot.trial import identity_of
from ostrya.sysroot.write_deployments import write_deployments
from ostrya.uptane.client.config import Booted
from ostrya.uptane.client.errors import ImageUnsuitable, NoRoom, UpdateCancelled
from ostrya.uptane.client.installer import Outcome, Running, Stage, known_as
from ostrya.uptane.client.ostree_remote import REF, REMOTE, remote_settings
from ostrya.uptane.client.watch import WatchedProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ostrya.repo.repository import Repository
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.preflight import Need
    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.installs import Install, Target
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.full_verification import Agreed

_RESTART = "the machine has to be restarted"
_RESERVE = "min-free-space-size or min-free-space-percent of the repository says so"
_TRIAL = "the new system runs, and has still to be found good by its health checks"


class _Begun(NamedTuple):
    """A sysroot, open and locked.

    Attributes:
        sysroot: It.
        loaded: What it has.
        stateroot: The system that is updated.
        merge: The deployment that the next one goes on from.
    """

    sysroot: Sysroot
    loaded: Loaded
    stateroot: str
    merge: Deployment | None


class OstreeInstaller:
    """Installs commits in a sysroot."""

    def __init__(
        self,
        open_sysroot: Callable[[], Sysroot],
        stateroot: str = "",
        booted: Booted = Booted.BOOTED,
        network: NetworkOptions | None = None,
    ) -> None:
        """Prepare.

        Args:
            open_sysroot: Opens the sysroot; closed again after each step.
            stateroot: The system that is updated; empty for the running one.
            booted: Which deployment counts as running.
            network: How servers are spoken to.
        """
        self._open_sysroot = open_sysroot
        self._stateroot = stateroot
        self._booted = booted
        self._network = network or NetworkOptions()

    # ------------------------------------------------------------------------- what runs

    def running(self, log: Sequence[Install]) -> Running | None:
        """Return the commit that runs; one that did not come from here is called ``unknown``."""
        with self._open_sysroot() as sysroot:
            current = self._current(load_sysroot(sysroot))
        if current is None:
            return None
        hashes = {"sha256": str(current.checksum)}
        return known_as(log, hashes) or Running("unknown", 0, hashes)

    def _current(self, loaded: Loaded) -> Deployment | None:
        if self._booted is Booted.BOOTED:
            return loaded.booted
        found = (one for one in loaded.deployments if self._stateroot in ("", one.stateroot))
        return next(found, None)

    @contextmanager
    def _begin(self) -> Iterator[_Begun]:
        with self._open_sysroot() as sysroot, sysroot_lock(sysroot):
            loaded = load_sysroot(sysroot)
            current = self._current(loaded)
            stateroot = self._stateroot or (current.stateroot if current is not None else "")
            if not stateroot:
                raise SysrootError(
                    f"there is no running system in the sysroot {sysroot.path}",
                    hint='name one with `os` in [pacman]; `booted = "staged"` is for directories',
                )
            yield _Begun(sysroot, loaded, stateroot, merge_deployment(loaded, stateroot))

    # -------------------------------------------------------------------------- download

    def refuse(self, image: Agreed) -> None:
        """See that an image is a commit.

        Raises:
            ImageUnsuitable: It is not.
        """
        if not image.is_ostree or not is_checksum(_checksum(image.hashes)):
            raise ImageUnsuitable(
                f"{image.name} is no OSTree commit, which is all that this ECU installs"
            )

    def has(self, image: Agreed) -> bool:
        """Say whether a commit is here with all it holds."""
        with self._open_sysroot() as sysroot:
            return _is_whole(sysroot.repo, _checksum(image.hashes))

    def download(self, image: Agreed, source: ImageSource, watch: Watch) -> None:
        """Pull a commit, if the disks have room for it."""
        checksum = _checksum(image.hashes)
        remote = RemoteSettings.described(REMOTE, remote_settings(source.treehub(image.uri)))
        with self._begin() as begun:
            repo = begun.sysroot.repo
            if _is_whole(repo, checksum):
                self._hold(repo, checksum)
                return
            watch.look()
            if begun.merge is not None and _held(repo) is None:
                # A delta is looked for from what a ref is.
                self._hold(repo, begun.merge.checksum)
            self._look_ahead(begun, remote, image, checksum)
            pull(
                repo,
                remote,
                [RefRequest(REF, checksum)],
                PullOptions(verify_bindings=False),
                self._network,
                progress=WatchedProgress(watch, "download", image.name),
            )

    def _look_ahead(
        self, begun: _Begun, remote: RemoteSettings, image: Agreed, checksum: Checksum
    ) -> None:
        """Refuse what cannot be deployed before its files come."""
        sysroot, repo = begun.sysroot, begun.sysroot.repo
        outlook = look_ahead(repo, remote, REF, commit=checksum, network=self._network)
        try:
            directories = PullOptions(verify_bindings=False, trees_only=True)
            pull(repo, remote, [RefRequest(checksum)], directories, self._network)
        except FetchError:
            if outlook.delta_bytes is None:
                raise
            # A server may have deltas, and no directories one by one.
            return
        wish = DeployWish(begun.stateroot, checksum)
        manner = Manner(staged=self._booted is Booted.BOOTED)
        found = plan_deployment(
            sysroot, begun.loaded, wish, begun.merge, manner=manner, outlook=outlook
        )
        what = f"{image.name}, in the repository of {sysroot.path},"
        _require_room(found.repo, what, min_free_bytes(repo), _RESERVE)
        _require_room(found.boot, f"the kernel of {image.name}, in /boot,")
        if found.obstacles:
            raise ImageUnsuitable(f"{image.name} cannot be deployed: {'; '.join(found.obstacles)}")

    def _hold(self, repo: Repository, checksum: Checksum) -> None:
        if _held(repo) != checksum:
            write_ref(repo, REMOTE, REF, checksum)

    # --------------------------------------------------------------------------- install

    def install(self, target: Target, watch: Watch) -> Outcome:
        """Make a deployment of a commit; on a running system it is staged."""
        checksum = _checksum(target.hashes)
        try:
            with self._begin() as begun:
                there = self._where(begun, checksum)
                if there is not None:
                    return there
                require_admissible(begun.sysroot, begun.loaded, checksum)
                self._deploy(begun, checksum, WatchedProgress(watch, "install", target.name))
        except TrialPending as exc:
            return Outcome(Stage.LATER, words=exc.message)
        except UpdateCancelled:
            raise
        except OstryaError as exc:
            return Outcome.failed(exc.message)
        except OSError as exc:
            return Outcome.failed(f"{exc.filename or target.name}: {exc.strerror or exc}")
        return Outcome(Stage.APPLIED, words=_RESTART)

    def _deploy(self, begun: _Begun, checksum: Checksum, progress: WatchedProgress) -> None:
        sysroot, loaded, stateroot, merge = begun
        old = None if merge is None else merge.origin
        # Nothing but the Director says what comes next; other tools show what runs.
        origin = (Origin.empty() if old is None else old.for_next()).with_refspec(checksum)
        wish = DeployWish(stateroot, checksum, origin)
        if self._booted is Booted.BOOTED:
            require_running(loaded)
            stage_deployment(sysroot, loaded, wish, merge, progress=progress)
            return
        new = deploy(sysroot, loaded, wish, merge, progress=progress)
        write_deployments(sysroot, loaded, with_new_deployment(loaded.all, new, merge))

    # ---------------------------------------------------------------------------- finish

    def finish(self, target: Target, *, restarted: bool) -> Outcome:
        """Say what became of a deployment."""
        checksum = _checksum(target.hashes)
        with self._begin() as begun:
            if self._booted is Booted.STAGED and not restarted:
                current = self._current(begun.loaded)
                is_there = current is not None and current.checksum == checksum
                return Outcome(Stage.WAITING if is_there else Stage.LOST, words=_RESTART)
            there = self._where(begun, checksum)
            if there is not None and (there.stage is not Stage.APPLIED or not restarted):
                waits = there.stage is Stage.APPLIED
                return there._replace(stage=Stage.WAITING) if waits else there
            return self._why_not(begun, checksum)

    def _where(self, begun: _Begun, checksum: Checksum) -> Outcome | None:
        """Say how far a commit has come, by what there is; None if nothing of it is."""
        sysroot, loaded = begun.sysroot, begun.loaded
        current = self._current(loaded)
        if current is not None and current.checksum == checksum:
            return self._judge(sysroot, current)
        if loaded.staged is not None and loaded.staged.checksum == checksum:
            return Outcome(Stage.APPLIED, words=_RESTART)
        default = next(iter(loaded.deployments), None)
        if loaded.staged is None and default is not None and default.checksum == checksum:
            return Outcome(Stage.APPLIED, words=_RESTART)
        return None

    def _judge(self, sysroot: Sysroot, current: Deployment) -> Outcome:
        """Say whether what runs was found good."""
        if self._booted is Booted.STAGED or not sysroot.settings.rollback.is_on:
            return Outcome.good()
        ledger, identity = read_ledger(sysroot), identity_of(current)
        bad = ledger.find_bad(current.checksum)
        if bad is not None:
            return Outcome.failed(bad.describe())
        if identity and identity not in ledger.good:
            return Outcome(Stage.TRIAL, words=_TRIAL)
        return Outcome.good()

    def _why_not(self, begun: _Begun, checksum: Checksum) -> Outcome:
        """Say why something else runs than was installed."""
        sysroot, loaded = begun.sysroot, begun.loaded
        current = self._current(loaded)
        bad = read_ledger(sysroot).find_bad(checksum)
        if bad is not None:
            return Outcome.failed(f"it was rolled back: {bad.describe()}")
        reason = failure_reason(sysroot)
        if reason is not None:
            return Outcome.failed(f"it could not be made the default at shutdown: {reason}")
        if current is not None and any(one.checksum == checksum for one in loaded.deployments):
            return Outcome.failed(
                f"after the restart {current.checksum} runs, and not {checksum}",
            )
        return Outcome(Stage.LOST, words="power failed before it became the default")

    # --------------------------------------------------------------------------- cleanup

    def keep_only(self, targets: Sequence[Target]) -> None:
        """Delete what was pulled for anything else, and is not deployed."""
        wanted = {_checksum(one.hashes) for one in targets}
        with self._open_sysroot() as sysroot:
            held = _held(sysroot.repo)
        if held is None or held in wanted:
            return
        with self._begin() as begun:
            write_ref(begun.sysroot.repo, REMOTE, REF, None)
            if all(one.checksum != held for one in begun.loaded.all):
                clean_up(begun.sysroot, begun.loaded)


def _checksum(hashes: Mapping[str, str]) -> Checksum:
    return Checksum(hashes.get("sha256", "").lower())


def _held(repo: Repository) -> Checksum | None:
    return resolve_ref(repo, REMOTE, REF, allow_noent=True)


def _is_whole(repo: Repository, checksum: Checksum) -> bool:
    return has_object(repo, ObjectName(checksum, ObjectType.COMMIT)) and not is_partial(
        repo, checksum
    )


def _require_room(need: Need | None, what: str, reserve_bytes: int = 0, why: str = "") -> None:
    if need is not None and not need.fits:
        raise NoRoom(what, need.needed_bytes or 0, need.room_bytes, reserve_bytes, why)
