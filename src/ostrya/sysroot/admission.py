# SPDX-License-Identifier: Apache-2.0
"""Whether a release may be installed, where there is automatic rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.sysroot.errors import ReleaseKnownBad, TrialPending
from ostrya.sysroot.ledger import read_ledger, write_ledger
from ostrya.sysroot.verdict import is_on_trial

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot


def require_admissible(
    sysroot: Sysroot, loaded: Loaded, checksum: Checksum, *, retry: bool = False
) -> None:
    """Refuse a release that was rolled back here, and any during a trial.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        checksum: The release's commit.
        retry: Forget what is known against it.

    Raises:
        TrialPending: The running deployment is on trial; what it falls back to would go.
        ReleaseKnownBad: It was rolled back here.
        OSError: The ledger cannot be read or written.
    """
    if not sysroot.settings.rollback.is_on:
        return
    if loaded.booted is not None and is_on_trial(sysroot, loaded):
        raise TrialPending(str(loaded.booted.name))
    ledger = read_ledger(sysroot)
    bad = ledger.find_bad(checksum)
    if bad is None:
        return
    if not retry:
        raise ReleaseKnownBad(checksum, bad.describe())
    write_ledger(sysroot, ledger.forgiving(checksum))
