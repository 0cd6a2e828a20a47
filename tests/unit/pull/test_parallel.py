# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest

from ostrya.pull.parallel import each


def test_each_is_bounded():
    under_way, most = set(), []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            under_way.add(number)
            most.append(len(under_way))
        time.sleep(0.001)
        with lock:
            under_way.remove(number)
        return number

    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = each(work, items(), 3)
    first = next(results)
    assert len(taken) <= 8
    assert {first, *results} == set(range(100))
    assert max(most) <= 3
    assert list(each(work, [], 3)) == []


def test_the_first_error_ends_it():
    done = []

    def work(number: int) -> None:
        if number == 3:
            raise KeyError(number)
        done.append(number)

    with pytest.raises(KeyError):
        list(each(work, range(1000), 2))
    assert len(done) < 20
