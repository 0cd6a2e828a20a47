# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.tree.checkout_options import CheckoutOptions, Overwrite


def test_by_default_nothing_is_overwritten_and_nobody_acts_as_root():
    options = CheckoutOptions()
    assert options.overwrite is Overwrite.NONE
    assert not any((options.force_copy, options.require_hardlinks, options.process_whiteouts))
    assert options.skip_paths == frozenset()
