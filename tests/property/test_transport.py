# SPDX-License-Identifier: Apache-2.0
"""What decides about fetching and serving: pure, and right for whatever comes."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from ostrya.fetch.addresses import hide_password, parse_address
from ostrya.fetch.answer import ContentRange, Header, format_date, parse_content_range, parse_date
from ostrya.fetch.coding import inflate, longest_coded
from ostrya.fetch.cookies import Cookie, format_cookie, parse_cookie
from ostrya.fetch.errors import AddressError, MetalinkError, MirrorListError
from ostrya.fetch.metalink import parse_metalink
from ostrya.fetch.mirrorlist import parse_mirrorlist
from ostrya.fetch.retry import Attempts, Move, Outcome, RetryPolicy
from ostrya.fetch.window import Window
from ostrya.serve.conditions import Version, choose_extent, parse_range
from ostrya.serve.paths import path_of
from ostrya.serve.requests import BadRequestError, parse_request

WORDS = st.text(
    st.characters(min_codepoint=0x21, exclude_characters="\x7f", exclude_categories=["Z", "C"]),
    min_size=1,
)  # fmt: skip
TIMES = st.integers(0, 253402300799)
END = {Move.ABSENT, Move.GIVE_UP}


# ---- retry and window


@given(st.integers(1, 6), st.integers(0, 6), st.lists(st.sampled_from(Outcome), max_size=100))
def test_attempts_end(alternatives, retries, outcomes):
    """However tries end: alternatives are asked in turn, a final answer is final, and it is over some day."""
    attempts = Attempts(alternatives, retries)
    closed: set[int] = set()
    saw_absent = False
    tries = 0
    for outcome in outcomes + [Outcome.TRANSIENT] * 100:
        assert attempts.index not in closed
        tries += 1
        if outcome is not Outcome.TRANSIENT:
            closed.add(attempts.index)
            saw_absent |= outcome is Outcome.ABSENT
        move = attempts.record(outcome)
        assert attempts.failures <= retries
        if move in END:
            assert (move is Move.ABSENT) == saw_absent
            assert len(closed) == alternatives or attempts.failures == retries
            break
    assert tries <= alternatives * (retries + 1)


@given(
    st.builds(
        RetryPolicy,
        first_delay_s=st.floats(0, 100),
        max_delay_s=st.floats(0, 1000),
    ),
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.floats(0, 1e9),
)
def test_delays_stay_within_limits(policy, failures, chance, asked_s):
    delay_s = policy.delay_s(failures, chance, asked_s)
    assert 0 <= delay_s <= policy.max_delay_s
    assert delay_s >= min(asked_s, policy.max_delay_s)
    assert policy.delay_s(failures + 1, chance) >= policy.delay_s(failures, chance)


@given(
    st.integers(1, 128),
    st.lists(st.tuples(st.booleans(), st.floats(0, 10), st.integers(0, 1 << 30)), max_size=500),
)
def test_windows_stay_within_limits(limit, events):
    window, now = Window(0.0, limit=limit), 0.0
    for is_answer, step_s, size in events:
        now += step_s
        if is_answer:
            window.completed(now, size)
        else:
            window.overloaded(now)
        assert 1 <= window.width <= max(2, limit)


# ---- addresses, lists, cookies


@given(st.text())
def test_any_text_is_an_address_or_none(text):
    for url in (text, f"http://{text}"):
        try:
            address = parse_address(url)
        except AddressError as exc:
            exc.message.encode("utf-8", "surrogatepass")
            continue
        assert address.url.isascii()
        assert " " not in address.url
        assert parse_address(address.url).url == address.url


@given(WORDS, WORDS)
def test_passwords_never_show(user, password):
    secret = f"{user}:{password}"
    for url in (f"http://{secret}@host/x", f"http://{secret}@host"):
        if not set("/?#") & set(secret):
            assert hide_password(url) == url.replace(f"{secret}@", "", 1)


@given(st.lists(st.one_of(WORDS, st.just("http://a/b"), st.just("https://c"), st.just("# x"))))
def test_mirrors_are_lines_of_the_list(lines):
    try:
        mirrors = parse_mirrorlist("\n".join(lines), "u")
    except MirrorListError:
        mirrors = ()
    assert set(mirrors) <= set(lines)
    assert len(set(mirrors)) == len(mirrors)
    assert {"http://a/b", "https://c"} & set(lines) <= set(mirrors)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_metalink_or_an_error(data):
    try:
        parse_metalink(data, "summary")
    except MetalinkError:
        return
    raise AssertionError("random bytes were taken for a metalink")


@given(
    WORDS.filter(lambda word: word[0] != "#"), WORDS, st.sampled_from(["TRUE", "FALSE"]),
    st.integers(0, 10**17), WORDS, WORDS,
)  # fmt: skip
def test_cookies(domain, path, secure, expires, name, value):
    cookie = Cookie(domain, "FALSE", path, secure, expires, name, value)
    assert parse_cookie(format_cookie(cookie)) == cookie


# ---- answers


@given(TIMES)
def test_dates(timestamp):
    assert parse_date(format_date(timestamp)) == timestamp


@given(st.text())
def test_any_text_is_a_date_or_none(text):
    parse_date(text)
    parse_content_range(text)


@given(st.integers(0, 10**17), st.integers(0, 10**6), st.integers(1, 10**6))
def test_content_ranges(first, length, rest):
    last = first + length
    text = f"bytes {first}-{last}/{last + rest}"
    assert parse_content_range(text) == ContentRange(first, last, last + rest)


@given(st.lists(st.binary()))
def test_any_lines_are_a_header(lines):
    assert 0 <= Header.parse(lines).status <= 999


@given(st.binary(max_size=2000), st.integers(1, 50), st.booleans())
def test_inflating(content, size, use_gzip):
    coded = gzip.compress(content) if use_gzip else zlib.compress(content)
    assert len(coded) <= longest_coded(len(content))
    chunks = [coded[start : start + size] for start in range(0, len(coded), size)]
    assert b"".join(inflate(chunks)) == content


# ---- requests


@given(st.text(), st.integers(0, 10**6))
def test_any_range_stays_within_the_file(text, size):
    for header in (text, f"bytes={text}"):
        extent = parse_range(header, size)
        if extent is not None:
            assert 0 <= extent.start <= extent.start + extent.length <= size
            assert (extent.status == 206) == (extent.length > 0)


@given(st.integers(1, 10**6), st.data())
def test_ranges(size, data):
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size + 10))
    content_length = min(last, size - 1) - first + 1
    assert parse_range(f"bytes={first}-{last}", size) == (206, first, content_length)
    assert parse_range(f"bytes={first}-", size) == (206, first, size - first)
    assert parse_range(f"bytes=-{size - first}", size) == (206, first, size - first)


@given(st.dictionaries(st.sampled_from(
    ["range", "if-range", "if-none-match", "if-modified-since"]), st.text()))  # fmt: skip
def test_any_condition_has_an_answer(fields):
    extent = choose_extent(Version(100, 10**9, '"t"'), "GET", fields)
    assert extent.status in {200, 206, 304, 416}


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_any_path_stays_below(text):
    path = path_of(f"/{text}")
    if path is not None:
        assert not path.startswith("/")
        assert all(name and not name.startswith(".") for name in path.split("/"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_refused(data):
    for head in (data, b"GET /x HTTP/1.1\r\nHost: x\r\n" + data):
        try:
            request = parse_request(head)
        except BadRequestError as exc:
            if not 400 <= exc.status < 600:
                raise
        else:
            assert all(name == name.lower() for name in request.fields)
