# SPDX-License-Identifier: Apache-2.0
"""What stops a deployment from being found, written or changed.

::

    SysrootError
    ├── OriginInvalid   a file that says where a deployment came from, and cannot be used
    ├── EtcConflict     a changed file of ``/etc`` that has no place in the new one
    ├── BootSpaceError  ``/boot`` has no room for another kernel
    ├── StaterootExists  there is a system of that name
    ├── StagedInvalid  what is noted of a staged deployment cannot be understood
    ├── NotBooted       what is asked for needs a running deployment
    ├── TrialStateMissing  where the record of a trial should lie there is nothing
    ├── TrialPending    a new deployment has to wait until the running one has stood its trial
    ├── ReleaseKnownBad  a release that was rolled back here is to be installed again
    └── DeploymentNotFound  there is no such deployment
"""

from __future__ import annotations

from ostrya.errors import SysrootError


class OriginInvalid(SysrootError):
    """The origin of a deployment cannot be used."""


class EtcConflict(SysrootError):
    """A changed file of ``/etc`` has no place in the new one.

    Attributes:
        path: Of the file, relative to ``/etc``.
    """

    def __init__(self, path: str) -> None:
        super().__init__(
            f"During /etc merge: Modified config file newly defaults to directory '{path}', "
            "cannot merge",
            hint=f"move /etc/{path} away, or make it a directory",
        )
        self.path = path


class BootSpaceError(SysrootError):
    """``/boot`` has no room for the kernels of what is to be deployed.

    Attributes:
        needed_bytes: How much they take.
    """

    def __init__(self, needed_bytes: int, hint: str) -> None:
        megabytes = -(-needed_bytes // 1_000_000)
        super().__init__(f"/boot has no room for {megabytes} MB of kernel and ramdisk", hint=hint)
        self.needed_bytes = needed_bytes


class NotBooted(SysrootError):
    """What is asked for needs a running deployment, and none is running."""


class DeploymentNotFound(SysrootError):
    """There is no such deployment."""


class StaterootExists(SysrootError):
    """There is a system of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Creating ostree/deploy/{name}: File exists")


class StagedInvalid(SysrootError):
    """What is noted of a staged deployment cannot be understood."""


class TrialStateMissing(SysrootError):
    """Where the record of a trial should lie there is nothing."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the record of trials is not where ostrya.rollback-state says: {place}",
            hint="`ostrya config set ostrya.rollback-state …` in the system repository changes it",
        )


class TrialPending(SysrootError):
    """A new deployment has to wait until the running one has stood its trial."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the running deployment {name} is on trial, and what it falls back to has to stay",
            hint="wait for its health checks, or say that it is good: ostrya boot mark-good",
        )


class ReleaseKnownBad(SysrootError):
    """A release that was rolled back here is to be installed again.

    Attributes:
        checksum: Its commit.
    """

    def __init__(self, checksum: str, reason: str) -> None:
        super().__init__(
            f"release {checksum} was rolled back on this device: {reason}",
            hint="--retry-failed installs it all the same",
        )
        self.checksum = checksum
