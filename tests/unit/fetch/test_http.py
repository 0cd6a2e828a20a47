# SPDX-License-Identifier: Apache-2.0
"""HTTP against a server that may do anything."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import signal
import socket
import threading
import tracemalloc

import pytest

from ostrya.errors import FetchError, RepoError
from ostrya.fetch.errors import (
    AddressError,
    BadAnswer,
    BodyTooLarge,
    FetchOptionError,
    HttpStatusError,
    NetworkError,
    RedirectError,
    StalledError,
)
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.fetch.http import HttpFetcher
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.retry import RetryPolicy
from support.fetching import CONTENT
from support.hostile import (
    Answer,
    Asked,
    Drop,
    HostileServer,
    Raw,
    always,
    at_first,
    drop_every,
    endless,
    gzip_bomb,
    redirect_circle,
    truncate_bodies,
)
from support.ports import free_port

MIB = 1024 * 1024
BIG = CONTENT["/big"]


def get(fetcher: HttpFetcher, *urls: str, max_bytes: int = 16 * MIB, **more: object):
    return fetch_one(fetcher, Request(urls, max_bytes, **more))


def get_all(fetcher: HttpFetcher, requests: dict[object, Request]) -> dict[object, object]:
    """Submit as there is room, as callers do."""
    waiting, found = list(requests.items()), {}
    while len(found) < len(requests):
        for _ in range(min(fetcher.room, len(waiting))):
            fetcher.submit(*waiting.pop())
        found.update(fetcher.wait(None))
    assert fetcher.in_flight == 0
    return found


# ---- answers


def test_a_small_body_is_in_memory(server, fetcher):
    answer = get(fetcher, f"{server.url}/small")
    assert (answer.status, answer.body, answer.size) == (200, b"hello\n", 6)
    assert answer.spool_fd == -1
    assert answer.url == f"{server.url}/small"
    assert answer.etag is not None
    assert answer.last_modified == 1785585600


def test_an_empty_body(server, fetcher):
    assert get(fetcher, f"{server.url}/empty").body == b""


def test_a_long_body_is_in_a_file(server, fetcher):
    answer = get(fetcher, f"{server.url}/big")
    assert (answer.body, answer.size) == (b"", len(BIG))
    assert answer.read() == BIG


def test_a_body_goes_to_a_file_when_asked(server, fetcher):
    for path in ("/small", "/empty"):
        answer = get(fetcher, f"{server.url}{path}", spool=True)
        assert answer.spool_fd >= 0
        assert answer.read() == CONTENT[path]


def test_a_body_that_nobody_wants_is_closed(server, fetcher):
    answer = get(fetcher, f"{server.url}/big")
    answer.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(answer.spool_fd)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_absence_is_an_answer(server, fetcher, status):
    server.rule(always(Answer(status, b"a page that says so")))
    answer = get(fetcher, f"{server.url}/small")
    assert answer.status == status
    assert answer.is_absent
    assert answer.body == b""


def test_what_has_not_changed(server, fetcher):
    first = get(fetcher, f"{server.url}/small")
    again = get(fetcher, f"{server.url}/small", etag=first.etag)
    assert (again.status, again.body, again.etag) == (304, b"", first.etag)
    # And the next request on the same handle asks for all of it.
    assert get(fetcher, f"{server.url}/small").body == b"hello\n"


def test_when_it_changed_is_asked(server, fetcher):
    get(fetcher, f"{server.url}/small", last_modified=1785585600)
    assert server.asked[0].headers["if-modified-since"] == "Sat, 01 Aug 2026 12:00:00 GMT"


def test_a_part(server, fetcher):
    answer = get(fetcher, f"{server.url}/small", offset=4)
    assert (answer.status, answer.body) == (206, b"o\n")


def test_a_server_without_parts(server, fetcher):
    server.rule(always(Answer(200, b"hello\n")))
    answer = get(fetcher, f"{server.url}/small", offset=4)
    assert (answer.status, answer.body) == (200, b"hello\n")


def test_many_requests(server, fetcher):
    asked = {n: Request((f"{server.url}/objects/{n}",), 4096) for n in range(200)}
    found = get_all(fetcher, asked)
    assert {n: answer.body for n, answer in found.items()} == {
        n: CONTENT[f"/objects/{n}"] for n in range(200)
    }
    assert fetcher.stats.requests == 200
    assert fetcher.stats.bytes_received == sum(len(CONTENT[f"/objects/{n}"]) for n in range(200))
    # Connections are kept.
    assert server.connections <= 64


def test_an_empty_fetcher_does_not_wait(fetcher):
    assert fetcher.wait(None) == []


def test_a_wait_may_end_without_anything(server, fetcher):
    server.rule(always(Answer(200, b"x", length=2, then_hang=True)))
    fetcher.submit("key", Request((f"{server.url}/small",), 10))
    assert fetcher.wait(0) == []
    assert fetcher.wait(0.01) == []
    assert fetcher.in_flight == 1


def test_a_long_queue_does_not_pile_up_answers(server, fetcher):
    for number in range(1000):
        fetcher.submit(number, Request((f"{server.url}/objects/{number % 200}",), 4096))
    found = 0
    while done := fetcher.wait(None):
        assert len(done) <= 128
        found += len(done)
    assert found == 1000


def test_room_is_bounded(server, fetcher):
    for number in range(1000):
        fetcher.submit(number, Request((f"{server.url}/objects/{number % 200}",), 4096))
    assert fetcher.room == 0
    assert fetcher.in_flight == 1000
    fetcher.wait(None)
    assert len(fetcher._active) <= 64


# ---- what is sent


def test_headers(server, make_fetcher):
    fetcher = make_fetcher(user_agent="libostree/2026.4 dodo/2.15", headers=(("X-Foo", "bar"),))
    get(fetcher, f"{server.url}/small", headers=(("X-Baz", "badger"), ("X-None", "")))
    get(fetcher, f"{server.url}/small")
    first, second = server.asked
    assert first.headers["user-agent"] == "libostree/2026.4 dodo/2.15"
    assert (first.headers["x-foo"], first.headers["x-baz"]) == ("bar", "badger")
    assert first.headers["x-none"] == ""
    assert second.headers["x-foo"] == "bar"
    assert "x-baz" not in second.headers


@pytest.mark.parametrize("header", [("X", "a\r\nY: b"), ("X Y", "a"), ("", "a"), ("X:", "a")])
def test_headers_that_are_none(server, make_fetcher, header):
    with pytest.raises(FetchOptionError, match="Invalid HTTP header"):
        make_fetcher(headers=(header,))
    with pytest.raises(FetchOptionError, match="Invalid HTTP header"):
        get(make_fetcher(), f"{server.url}/small", headers=(header,))
    assert not server.asked


def test_user_and_password(server, fetcher):
    server.rule(
        lambda asked: None if "authorization" in asked.headers else Answer(401, b"who are you")
    )
    with pytest.raises(HttpStatusError, match="HTTP 401"):
        get(fetcher, f"{server.url}/small")
    address = server.url.replace("://", "://foo%40user:bar%2Fpw@")
    answer = get(fetcher, f"{address}/small")
    assert answer.body == b"hello\n"
    assert server.asked[-1].headers["authorization"] == "Basic Zm9vQHVzZXI6YmFyL3B3"
    assert "pw" not in answer.url
    # They stay with the address that they were in.
    with pytest.raises(HttpStatusError):
        get(fetcher, f"{server.url}/small")


def test_passwords_stay_out_of_errors(fetcher):
    with pytest.raises(NetworkError) as caught:
        get(fetcher, f"http://user:secret@127.0.0.1:{free_port()}/x")
    assert "secret" not in caught.value.message
    assert "user" not in caught.value.message


def test_passwords_are_not_sent_elsewhere(server, fetcher):
    with HostileServer({"/there": b"x"}) as other:
        server.rule(always(Answer(302, headers={"Location": f"{other.url}/there"})))
        get(fetcher, f"{server.url.replace('://', '://user:secret@')}/small")
        assert "authorization" not in other.asked[0].headers


def test_cookies(server, make_fetcher, tmp_path):
    jar = tmp_path / "origin.cookies.txt"
    jar.write_text("127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tfoo\tbar\n")
    fetcher = make_fetcher(cookie_file=str(jar))
    get(fetcher, f"{server.url}/small")
    assert server.asked[0].headers["cookie"] == "foo=bar"


def test_a_proxy(server, make_fetcher):
    server.rule(always(Answer(200, b"from the proxy")))
    answer = get(make_fetcher(proxy=server.url), "http://example.invalid/x")
    assert answer.body == b"from the proxy"
    assert server.asked[0].path == "http://example.invalid/x"


# ---- limits


def test_a_length_over_the_limit_is_refused_at_once(server, fetcher):
    with pytest.raises(BodyTooLarge, match=r"URI .*/big exceeded maximum size of 1000 bytes"):
        get(fetcher, f"{server.url}/big", max_bytes=1000)


@pytest.mark.parametrize("length", [None, "true"])
def test_a_body_as_long_as_the_limit(server, fetcher, length):
    server.rule(always(Answer(200, b"x" * 1000, length=length)))
    assert get(fetcher, f"{server.url}/x", max_bytes=1000).size == 1000
    with pytest.raises(BodyTooLarge):
        get(fetcher, f"{server.url}/x", max_bytes=999)


def test_the_beginning_of_a_body_may_say_how_long_it_is(server, fetcher):
    heads = []

    def longest(head: bytes) -> int:
        heads.append(head)
        return 1000

    server.rule(always(Answer(200, b"0123456789abcdef" * 9), "/short"))
    server.rule(always(Answer(200, endless()), "/endless"))
    assert get(fetcher, f"{server.url}/short", longest=longest).size == 144
    with pytest.raises(BodyTooLarge, match="exceeded maximum size of 1000 bytes"):
        get(fetcher, f"{server.url}/endless", longest=longest)
    assert get(fetcher, f"{server.url}/small", longest=longest).size == 6
    assert heads == [b"0123456789abcdef", bytes(16)]


def test_there_has_to_be_room_for_files(server, spool_fd):
    def require_room(size: int) -> None:
        raise RepoError(f"no room for {size} bytes")

    server.rule(always(Answer(200, endless())))
    with (
        HttpFetcher(HttpOptions(), spool_fd, require_room) as fetcher,
        pytest.raises(RepoError, match=rf"^While fetching {server.url}/x: no room for "),
    ):
        get(fetcher, f"{server.url}/x")


def test_endless_bodies(server, fetcher):
    server.rule(lambda _: Answer(200, endless()))
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        get(fetcher, f"{server.url}/x", max_bytes=MIB)
    assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    tracemalloc.stop()
    # Enough is enough: it is not tried again.
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [404, 500, 302])
def test_endless_pages_of_refusals(server, make_fetcher, status):
    def rule(asked: Asked):
        if asked.path != "/x":
            return None
        return Answer(status, endless(), {"Location": "/small"} if status == 302 else {})

    server.rule(rule)
    fetcher = make_fetcher(retry=RetryPolicy(retries=0))
    url = f"{server.url}/x"
    if status == 404:
        assert get(fetcher, url, max_bytes=100).status == 404
    elif status == 500:
        with pytest.raises(HttpStatusError, match="Server returned HTTP 500"):
            get(fetcher, url, max_bytes=100)
    else:
        with pytest.raises(RedirectError, match="a redirect without an end"):
            get(fetcher, url, max_bytes=100)


def test_a_long_page_of_a_refusal_is_no_long_body(server, fetcher):
    server.rule(always(Answer(404, b"x" * 5000)))
    assert get(fetcher, f"{server.url}/x", max_bytes=10).status == 404


def test_endless_headers(server, make_fetcher):
    server.rule(always(Raw(b"HTTP/1.1 200 OK\r\n" + b"X-Y: zzzzzzzzzzzzzzzzzzzz\r\n" * 40_000)))
    with pytest.raises(FetchError, match="While fetching"):
        get(make_fetcher(retry=RetryPolicy(retries=0)), f"{server.url}/x")


def test_compressed_bodies(server, fetcher):
    content = b"a body\n" * 100_000

    def rule(asked: Asked):
        if "gzip" not in asked.headers.get("accept-encoding", ""):
            return Answer(200, content)
        return Answer(200, gzip.compress(content), {"Content-Encoding": "gzip"})

    server.rule(rule)
    assert get(fetcher, f"{server.url}/x", compressed=True).body == content
    assert fetcher.stats.bytes_received < len(content)
    assert get(fetcher, f"{server.url}/x").body == content


def test_bombs(server, fetcher):
    server.rule(always(gzip_bomb(256 * MIB)))
    tracemalloc.start()
    with pytest.raises(BodyTooLarge, match="exceeded maximum size of 2097152 bytes"):
        get(fetcher, f"{server.url}/x", max_bytes=2 * MIB, compressed=True)
    assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    tracemalloc.stop()


def test_damaged_compression(server, fetcher):
    server.rule(
        always(Answer(200, gzip.compress(b"hello" * 100)[:-9], {"Content-Encoding": "gzip"}))
    )
    with pytest.raises(BadAnswer, match="Invalid compressed data: the compressed body is cut"):
        get(fetcher, f"{server.url}/x", compressed=True)


def test_memory_stays_bounded_with_many_bodies_at_once(server, make_fetcher):
    piece = b"x" * (3 * MIB)
    server.rule(lambda _: Answer(200, [piece]))
    fetcher = make_fetcher()
    fetcher._memory.limit = 8 * MIB
    tracemalloc.start()
    total = 0
    requests = {n: Request((f"{server.url}/{n}",), 4 * MIB) for n in range(24)}
    for key, request in requests.items():
        fetcher.submit(key, request)
    while fetcher.in_flight:
        for _, answer in fetcher.wait(None):
            total += answer.size
            answer.close()
    assert total == 24 * len(piece)
    assert fetcher._memory.held == 0
    tracemalloc.stop()


# ---- trouble that passes


def test_dropped_connections(server, fetcher):
    server.rule(drop_every(4))
    found = get_all(fetcher, {n: Request((f"{server.url}/objects/{n}",), 4096) for n in range(200)})
    assert all(answer.body == CONTENT[f"/objects/{n}"] for n, answer in found.items())
    # The first drop of a kept connection libcurl may mend by itself.
    assert fetcher.stats.retries > 0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_refusals_that_pass(server, fetcher, status):
    server.rule(at_first(3, Answer(status, b"later", {"Retry-After": "0"})))
    assert get(fetcher, f"{server.url}/small").body == b"hello\n"
    assert fetcher.stats.retries == 3


@pytest.mark.parametrize("status", [500, 503, 408])
def test_refusals_that_stay(server, make_fetcher, status):
    server.rule(always(Answer(status)))
    fetcher = make_fetcher(retry=RetryPolicy(retries=2, first_delay_s=0.001))
    url = f"{server.url}/small"
    with pytest.raises(HttpStatusError) as caught:
        get(fetcher, url)
    assert caught.value.message == f"While fetching {url}: Server returned HTTP {status}"
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 405, 451, 501, 505, 999])
def test_refusals_that_are_final(server, fetcher, status):
    server.rule(always(Answer(status, b"")))
    with pytest.raises(FetchError, match="While fetching"):
        get(fetcher, f"{server.url}/small")
    assert len(server.asked) == 1


def test_truncated_bodies_are_completed(server, fetcher):
    server.rule(truncate_bodies(server, 1_000_000, visits=8))
    answer = get(fetcher, f"{server.url}/big")
    assert answer.read() == BIG
    starts = [asked.first_byte for asked in server.asked]
    assert starts == sorted(starts)
    assert starts[1] == 1_000_000
    assert server.asked[1].headers["if-range"] == answer.etag
    # No byte came twice.
    assert fetcher.stats.bytes_received == len(BIG)


def test_nothing_is_pieced_together_without_a_tag(server, fetcher):
    def rule(asked: Asked):
        cut = 2_000_000 if asked.visit < 3 else None
        return Answer(200, BIG, {"ETag": 'W/"1"'}, cut_after=cut)

    server.rule(rule)
    assert get(fetcher, f"{server.url}/big").read() == BIG
    assert [asked.first_byte for asked in server.asked] == [0, 0, 0]


def test_another_version_begins_anew(server, fetcher):
    new = b"new" * 500_000

    def rule(asked: Asked):
        if asked.visit == 1:
            return Answer(200, BIG, {"ETag": '"1"'}, cut_after=2_000_000)
        return Answer(200, new, {"ETag": '"2"'})

    server.rule(rule)
    assert get(fetcher, f"{server.url}/big").read() == new


@pytest.mark.parametrize(
    "second",
    [
        Answer(206, BIG[7:], {"ETag": '"1"', "Content-Range": f"bytes 7-{len(BIG) - 1}/{len(BIG)}"}),
        Answer(206, BIG[2_000_000:], {"ETag": '"1"'}),
        Answer(206, b"", {"ETag": '"1"', "Content-Range": "bytes 2000000-1999999/9"}),
        Answer(
            206, BIG[2_000_000:],
            {"ETag": '"2"', "Content-Range": f"bytes 2000000-{len(BIG) - 1}/{len(BIG)}"},
        ),
        Answer(
            206, BIG[2_000_000:3_000_000],
            {"ETag": '"1"', "Content-Range": f"bytes 2000000-2999999/{len(BIG)}"},
        ),
        Answer(416, b"", {"Content-Range": "bytes */9"}),
    ],
    ids=["wrong start", "no range", "empty", "other version", "no end", "not there"],
)  # fmt: skip
def test_wrong_parts_are_not_pieced_together(server, fetcher, second):
    def rule(asked: Asked):
        if asked.visit == 1:
            return Answer(200, BIG, {"ETag": '"1"'}, cut_after=2_000_000)
        return second if asked.visit == 2 else None

    server.rule(rule)
    assert get(fetcher, f"{server.url}/big").read() == BIG
    assert server.asked[2].first_byte == 0


def test_a_resumed_body_is_not_longer_than_it_may_be(server, fetcher):
    def rule(asked: Asked):
        start = asked.first_byte
        span = f"bytes {start}-{start + MIB - 1}/*"
        if start:
            return Answer(
                206, bytes(MIB), {"ETag": '"1"', "Content-Range": span}, cut_after=MIB - 1
            )
        return Answer(200, bytes(MIB), {"ETag": '"1"'}, cut_after=MIB - 1)

    server.rule(rule)
    with pytest.raises(BodyTooLarge):
        get(fetcher, f"{server.url}/big", max_bytes=8 * MIB)


@pytest.mark.parametrize("length", [7, 100])
def test_a_length_too_long(server, make_fetcher, length):
    server.rule(always(Answer(200, b"hello\n", length=length, cut_after=6)))
    with pytest.raises(NetworkError, match=r"While fetching .*/small: \[18\]"):
        get(make_fetcher(retry=RetryPolicy(retries=1, first_delay_s=0)), f"{server.url}/small")


def test_a_length_too_short(server, fetcher):
    server.rule(always(Answer(200, b"123456", length=3)))
    assert get(fetcher, f"{server.url}/small").body == b"123"


def test_a_dead_link(server, make_fetcher):
    server.rule(always(Answer(200, b"x", length=100, then_hang=True)))
    fetcher = make_fetcher(retry=RetryPolicy(retries=0), low_speed_time_s=1)
    with pytest.raises(StalledError, match=r"While fetching .*/small"):
        get(fetcher, f"{server.url}/small")


def test_a_dead_link_that_comes_back(server, make_fetcher):
    server.rule(at_first(1, Answer(200, b"x", length=100, then_hang=True)))
    fetcher = make_fetcher(low_speed_time_s=1)
    assert get(fetcher, f"{server.url}/small").body == b"hello\n"


def test_nobody_there(make_fetcher):
    fetcher = make_fetcher(retry=RetryPolicy(retries=2, first_delay_s=0.001))
    url = f"http://127.0.0.1:{free_port()}/x"
    with pytest.raises(NetworkError, match=rf"While fetching {url}: \[7\]"):
        get(fetcher, url)
    assert fetcher.stats.requests == 3


def test_no_such_name(make_fetcher):
    fetcher = make_fetcher(retry=RetryPolicy(retries=0))
    with pytest.raises(NetworkError, match=r"While fetching http://nowhere\.invalid/x: \[6\]"):
        get(fetcher, "http://nowhere.invalid/x")


def test_garbage(server, make_fetcher):
    for garbage in (b"\0\1\2", b"SSH-2.0-OpenSSH\r\n", b"HTTP/9.9 ok\r\n\r\n", b"\r\n\r\n"):
        server.rule(always(Raw(garbage)))
        with pytest.raises(FetchError, match="While fetching"):
            get(make_fetcher(retry=RetryPolicy(retries=0)), f"{server.url}/x")


# ---- redirects


def test_a_redirect(server, fetcher):
    server.rule(always(Answer(302, b"over there", {"Location": "/small"}), "/x"))
    answer = get(fetcher, f"{server.url}/x")
    assert (answer.body, answer.url) == (b"hello\n", f"{server.url}/small")


def test_redirects_in_circles(server, fetcher):
    server.rule(redirect_circle("/a", "/b"))
    with pytest.raises(RedirectError, match=r"While fetching .*: \[47\] Maximum \(10\) redirects"):
        get(fetcher, f"{server.url}/a")
    assert len(server.asked) == 11


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "dict://x/y"]
)
def test_redirects_off_the_web(server, fetcher, where):
    server.rule(always(Answer(302, headers={"Location": where})))
    came_from = re.escape(f"; redirected from {server.url}/x")
    with pytest.raises(RedirectError, match=f"^While fetching {re.escape(where)}.*{came_from}$"):
        get(fetcher, f"{server.url}/x")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "/x", "", "http:", "x://y"])
def test_addresses_that_are_not_on_the_web(fetcher, url):
    with pytest.raises(FetchError):
        get(fetcher, url)
    assert fetcher.stats.requests == 0


def test_no_address(fetcher):
    with pytest.raises(AddressError):
        get(fetcher)


# ---- mirrors


def test_the_first_mirror_that_has_it(server, fetcher):
    with HostileServer({"/x": b"mine"}) as other:
        answer = get(fetcher, f"{server.url}/x", f"{other.url}/x", f"{server.url}/small")
        assert answer.body == b"mine"
        assert len(other.asked) == 1
    assert server.paths() == ["/x"]


def test_a_mirror_that_is_down(server, make_fetcher):
    fetcher = make_fetcher()
    dead = f"http://127.0.0.1:{free_port()}"
    asked = {
        n: Request((f"{dead}/objects/{n}", f"{server.url}/objects/{n}"), 4096) for n in range(50)
    }
    found = get_all(fetcher, asked)
    assert all(answer.body == CONTENT[f"/objects/{n}"] for n, answer in found.items())
    # After a while it is not asked first any more.
    assert fetcher.stats.requests < 100


def test_no_mirror_has_it(server, fetcher):
    answer = get(fetcher, f"{server.url}/x", f"{server.url}/y")
    assert (answer.status, answer.url) == (404, f"{server.url}/y")


def test_a_mirror_gets_no_half_body(server, fetcher):
    with HostileServer({"/big": BIG}) as other:
        server.rule(always(Answer(200, BIG, {"ETag": '"1"'}, cut_after=2_000_000)))
        answer = get(fetcher, f"{server.url}/big", f"{other.url}/big")
        assert answer.read() == BIG
        assert other.asked[0].first_byte == 0


# ---- manners


def test_an_overloaded_server_is_asked_less(server, fetcher):
    fetcher.window.width = 32
    server.rule(at_first(1, Answer(429, b"", {"Retry-After": "0"})))
    requests = {n: Request((f"{server.url}/objects/{n}",), 4096) for n in range(20)}
    for key, request in requests.items():
        fetcher.submit(key, request)
    fetcher.wait(None)
    assert fetcher.window.width <= 16
    while fetcher.in_flight:
        assert all(not isinstance(answer, FetchError) for _, answer in fetcher.wait(None))


def spool_files(folder) -> list[str]:
    """Files without names that are open in a folder."""
    links = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
    return [link for link in links if link.startswith(f"{folder}/")]


def test_closing_drops_what_is_under_way(server, spool_fd, tmp_path):
    server.rule(always(Answer(200, b"x" * 100_000, length=10**7, then_hang=True)))
    fetcher = HttpFetcher(HttpOptions(), spool_fd)
    for number in range(20):
        fetcher.submit(number, Request((f"{server.url}/{number}",), 10**8, spool=True))
    while not spool_files(tmp_path / "spool"):
        fetcher.wait(0.01)
    fetcher.close()
    assert not spool_files(tmp_path / "spool")


def test_an_interrupt_is_not_lost(server, fetcher, capfd):
    """Wherever it lands: a handler that raises must end the wait, not a callback of libcurl's."""

    class StopError(Exception):
        pass

    def stop(*_what: object) -> None:
        raise StopError

    server.rule(lambda _: Answer(200, endless()))
    before = signal.signal(signal.SIGUSR1, stop)
    main = threading.main_thread().ident
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGUSR1))
    try:
        fetcher.submit("key", Request((f"{server.url}/x",), 1 << 40, spool=True))
        timer.start()
        with pytest.raises(StopError):
            fetcher.wait(None)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert capfd.readouterr().err == ""


def test_a_full_disk_is_told(server, make_fetcher, monkeypatch):
    fetcher = make_fetcher()
    monkeypatch.setattr(
        "ostrya.fetch.body.write_all", lambda *_: (_ for _ in ()).throw(OSError(28, "No space"))
    )
    fetcher.submit("key", Request((f"{server.url}/big",), 16 * MIB))
    with pytest.raises(OSError, match="No space"):
        fetcher.wait(None)


def test_dropping_every_connection(server, make_fetcher):
    server.rule(always(Drop()))
    with pytest.raises(NetworkError, match="While fetching"):
        get(make_fetcher(retry=RetryPolicy(retries=1, first_delay_s=0)), f"{server.url}/x")


def test_a_listener_that_never_answers(make_fetcher):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        fetcher = make_fetcher(retry=RetryPolicy(retries=0), low_speed_time_s=1)
        with pytest.raises(StalledError):
            get(fetcher, url)
