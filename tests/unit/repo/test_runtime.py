# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.repo.runtime import DEFAULT_RUNTIME, Runtime


def test_by_default_nothing_is_out_of_the_ordinary():
    assert Runtime() == DEFAULT_RUNTIME
    assert not DEFAULT_RUNTIME.fail_before_commit
    assert not DEFAULT_RUNTIME.write_split_xattrs
    assert DEFAULT_RUNTIME.boot_id is None
