# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.serve.errors import ServeError


def test_it_is_the_repository_that_cannot_be_served():
    assert ServeError("x").exit_code == 20
