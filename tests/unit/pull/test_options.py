# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.pull.options import PullOptions, RefRequest


def test_nothing_is_trusted_or_left_out_unless_somebody_says_so():
    options = PullOptions()
    assert not (options.mirror)
    assert not (options.trusted_http)
    assert not (options.commits_only)
    assert not (options.depth)
    assert options.verify_bindings
    assert options.sign_verify
    assert options.gpg_verify is None
    assert RefRequest("main") == ("main", None, None)
