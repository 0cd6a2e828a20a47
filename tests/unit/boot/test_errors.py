# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot import errors
from ostrya.errors import BootloaderError


@pytest.mark.parametrize(
    "kind", [errors.KernelArgumentError, errors.EntryInvalid, errors.KernelNotFound]
)
def test_they_are_of_one_family(kind):
    assert issubclass(kind, BootloaderError)
    assert kind("a sentence").exit_code == 51
