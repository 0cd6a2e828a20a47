# SPDX-License-Identifier: Apache-2.0
import threading
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from ostrya.image.outputs.digest_thread import DigestThread


@given(st.lists(st.integers(0, 700_000), max_size=8), st.integers(0, 8))
def test_it_is_that_of_the_stream(sizes, asked_at):
    found, wanted = DigestThread(), sha256()
    for number, size in enumerate(sizes):
        data = bytes([number]) * size
        found.update(memoryview(data))
        wanted.update(data)
        if number == asked_at:
            assert found.hexdigest() == wanted.hexdigest()
    assert found.hexdigest() == wanted.hexdigest()


def test_no_thread_is_left():
    before = threading.active_count()
    found = DigestThread()
    for _ in range(100):
        found.update(bytes(1 << 17))
    assert threading.active_count() == before + 1
    found.end()
    assert threading.active_count() == before
