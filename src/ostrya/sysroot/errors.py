# SPDX-License-Identifier: Apache-2.0
"""What stops a deployment from being found, written or changed.

::

    SysrootError
    ├── OriginInvalid   a file that says where a deployment came from, and cannot be used
    └── EtcConflict     a changed file of ``/etc`` that has no place in the new one
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
