# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet import errors


@pytest.mark.parametrize("kind", errors.Refusal.__subclasses__(), ids=lambda one: one.__name__)
def test_each_refusal_has_a_status_and_a_code(kind):
    error = kind("no")
    assert 400 <= error.status < 600
    assert error.code == kind.usual_code
    assert kind("no", code="other").code == "other"


def test_only_what_can_be_tried_again_is_the_servers_fault():
    server = {one for one in errors.Refusal.__subclasses__() if one.status >= 500}
    assert server == {errors.Unavailable}
