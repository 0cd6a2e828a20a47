# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.errors import SysrootError
from ostrya.sysroot.errors import EtcConflict, OriginInvalid


def test_they_are_of_one_family():
    assert issubclass(OriginInvalid, SysrootError)
    conflict = EtcConflict("a/b")
    assert isinstance(conflict, SysrootError)
    assert conflict.path == "a/b"
    assert "newly defaults to directory 'a/b'" in str(conflict)
    assert "/etc/a/b" in conflict.hint
