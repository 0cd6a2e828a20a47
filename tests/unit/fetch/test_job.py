# SPDX-License-Identifier: Apache-2.0
"""What is kept of a body that was cut."""

from __future__ import annotations

import pytest

from ostrya.fetch.answer import Header
from ostrya.fetch.body import Memory
from ostrya.fetch.fetcher import Request
from ostrya.fetch.job import Job
from ostrya.fetch.retry import Outcome

MUCH = 100_000


def make_job(spool_fd: int, size: int) -> Job:
    job = Job("key", Request(("http://a/x", "http://b/x"), 1 << 20), Memory(spool_fd), 5)
    if size:
        job.body.take([b"x" * size])
    return job


@pytest.mark.parametrize(
    ("header", "size", "kept"),
    [
        (Header(200, '"1"'), MUCH, True),
        (Header(206, '"1"'), MUCH, True),
        (Header(200, '"1"'), 1000, False),
        (Header(200, None), MUCH, False),
        (Header(200, 'W/"1"'), MUCH, False),
        (Header(200, '"1"', encoding="gzip"), MUCH, False),
        (Header(500, '"1"'), MUCH, False),
        (Header(), MUCH, False),
    ],
)
def test_what_is_kept(spool_fd, header, size, kept):
    job = make_job(spool_fd, size)
    job.keep_for_resuming(header, size)
    assert (job.body.size, job.tag) == ((size, '"1"') if kept else (0, None))


def test_the_tag_of_the_first_part_stays(spool_fd):
    job = make_job(spool_fd, MUCH)
    job.tag = '"1"'
    job.keep_for_resuming(Header(206), 0)
    assert (job.body.size, job.tag) == (MUCH, '"1"')


def test_the_alternative_to_try(spool_fd):
    job = make_job(spool_fd, 0)
    assert job.url == "http://a/x"
    job.attempts.record(Outcome.ABSENT)
    assert job.url == "http://b/x"


def measured_job(spool_fd: int, longest: int, **more: object) -> Job:
    request = Request(("http://a/x",), 1000, longest=lambda _head: longest, **more)
    return Job("key", request, Memory(spool_fd), 5)


def test_how_long_a_body_may_be(spool_fd):
    job = measured_job(spool_fd, 100)
    assert job.take([b"x" * 10], 10)
    assert job.max_bytes == 1000
    assert job.take([b"x" * 90], 90)
    assert job.max_bytes == 100
    assert not job.take([b"x"], 1)
    job.start_over()
    assert job.max_bytes == 1000
    assert not job.take([b"x" * 101], 101)


def test_what_a_body_says_of_itself_widens_no_limit(spool_fd):
    job = measured_job(spool_fd, 1 << 62)
    assert job.take([b"x" * 1000], 1000)
    assert not job.take([b"x"], 1)


def test_a_compressed_body_may_be_a_little_longer(spool_fd):
    job = Job("key", Request(("http://a/x",), 1000, compressed=True), Memory(spool_fd), 5)
    assert 1000 < job.max_bytes < 4096
