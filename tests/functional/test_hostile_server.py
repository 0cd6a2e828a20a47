# SPDX-License-Identifier: Apache-2.0
"""Pulling from a server that does what servers must not.

However it ends, nothing unverified is in the repository, and memory and time were bounded; where it
fails, one sentence says why and names the address, and an honest server can be pulled from next.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from support import mounts
from support.commands import OURS
from support.hostile import (
    Answer,
    Asked,
    Drop,
    HostileServer,
    Raw,
    Rule,
    drop_every,
    endless,
    truncate_bodies,
)
from support.hostile_world import (
    KEY,
    MIB,
    STRANGER,
    Puller,
    World,
    commit_with_name,
    endless_file,
    lying_file,
    make_world,
    on,
)

GIB = 1024 * MIB
IMPATIENT = ("--low-speed-limit-bytes=100", "--low-speed-time-seconds=1")
ANY_OBJECT = r"/objects/.*(filez|dirtree|dirmeta|commit)$"
FILEZ = r"\.filez$"
TREE = r"\.dirtree$"
META = r"\.dirmeta$"
COMMIT = r"\.commit$"
DETACHED = r"\.commitmeta$"
SUMMARY = r"/summary$"
SIGNATURES = r"/summary\.sig$"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def server(world: World) -> Iterator[HostileServer]:
    with HostileServer(world.repo) as server:
        yield server


Make = Callable[[HostileServer, World], Rule]


class Scene(NamedTuple):
    """What a server does, and what is said about it.

    Attributes:
        rule: What it does.
        sentence: A regular expression for the cause.
        where: One for the path that is named.
        status: What the pull ends with.
        options: Of the pull.
    """

    rule: Make
    sentence: str
    where: str = ANY_OBJECT
    status: int = 40
    options: tuple[str, ...] = ()


def always(pattern: str, action: Answer | Drop | Raw) -> Make:
    return lambda _server, _world: on(pattern, action)


def with_body(pattern: str, **lie: object) -> Make:
    """The true body with something wrong about the answer."""

    def make(server: HostileServer, _world: World) -> Rule:
        return on(pattern, lambda asked: Answer(200, server.body_of(asked.path) or b"", **lie))

    return make


def without_length(pattern: str) -> Make:
    """Half the body, then the end of the connection, which is how HTTP/1.0 ends bodies."""

    def make(server: HostileServer, _world: World) -> Rule:
        def act(asked: Asked) -> Raw:
            body = server.body_of(asked.path) or b""
            return Raw(b"HTTP/1.1 200 OK\r\n\r\n" + body[: len(body) // 2])

        return on(pattern, act)

    return make


def another(suffix: str) -> Make:
    """Another object of the same kind."""

    def make(server: HostileServer, world: World) -> Rule:
        paths = world.objects(suffix)

        def act(asked: Asked) -> Answer:
            other = next(path for path in paths if path != asked.path)
            return Answer(200, server.body_of(other) or b"")

        return on(rf"\.{suffix}$", act)

    return make


def generated(pattern: str, body: Callable[[], Iterator[bytes]]) -> Make:
    return lambda _server, _world: on(pattern, lambda _asked: Answer(200, body()))


def redirects(pattern: str, target: str) -> Make:
    def make(_server: HostileServer, _world: World) -> Rule:
        return on(
            pattern, lambda asked: Answer(302, headers={"Location": target or f"{asked.path}"})
        )

    return make


def dribble() -> Iterator[bytes]:
    """A byte now and then."""
    import time

    while True:
        yield b"x"
        time.sleep(0.3)


def endless_header(line: bytes) -> Make:
    """A header that does not end."""
    return lambda _server, _world: on(
        FILEZ, Raw(b"HTTP/1.1 200 OK\r\n" + line * (20 * MIB // len(line)))
    )


BOMB = gzip.compress(bytes(50 * MIB), 9)
CORRUPTED = "Corrupted .* object; checksum expected="
SCENES = {
    # Connections and bodies that end early
    "drops all": Scene(always(ANY_OBJECT, Drop()), r"\[(52|56)\]"),
    "cut, length given": Scene(with_body(FILEZ, cut_after=20), "Transferred a partial file", FILEZ),
    "cut, no length: file": Scene(without_length(FILEZ), "invalid|Corrupted", FILEZ, 11),
    "cut, no length: tree": Scene(without_length(TREE), CORRUPTED, TREE, 11),
    "cut, no length: commit": Scene(without_length(COMMIT), CORRUPTED, COMMIT, 11),
    # Lengths
    "length too long, end": Scene(
        with_body(FILEZ, length=10 * MIB, cut_after=10 * MIB), "partial file", FILEZ
    ),
    "length too long, silence": Scene(
        always(FILEZ, Answer(200, b"x", length=MIB, then_hang=True)), r"\[28\]", FILEZ,
        options=IMPATIENT,
    ),
    "length too short": Scene(with_body(TREE, length=5), CORRUPTED, TREE, 11),
    "length negative": Scene(with_body(TREE, length="-5"), r"\[8\]", TREE),
    "length no number": Scene(with_body(TREE, length="many"), r"\[8\]", TREE),
    "length huge": Scene(with_body(TREE, length=10**18), "exceeded maximum size", TREE),
    "length beyond numbers": Scene(with_body(TREE, length=10**40), "exceeded maximum|\\[8\\]", TREE),
    # Other bytes than those that were asked for
    "wrong file": Scene(another("filez"), CORRUPTED, FILEZ, 11),
    "wrong tree": Scene(another("dirtree"), CORRUPTED, TREE, 11),
    "wrong dirmeta": Scene(always(META, Answer(200, b"\0" * 14)), CORRUPTED, META, 11),
    "wrong commit": Scene(another("commit"), CORRUPTED, COMMIT, 11),
    "garbage file": Scene(always(FILEZ, Answer(200, b"garbage" * 99)), "invalid", FILEZ, 11),
    "empty file": Scene(always(FILEZ, Answer(200, b"")), "invalid", FILEZ, 11),
    "garbage tree": Scene(always(TREE, Answer(200, b"garbage" * 99)), CORRUPTED, TREE, 11),
    "garbage for HTTP": Scene(always(TREE, Raw(b"\x16\x03\x01garbage\r\n\r\n" * 9)), r"\[(1|8)\]", TREE),
    "a page instead": Scene(
        always(ANY_OBJECT, Answer(200, b"<html>Log in</html>")), CORRUPTED, COMMIT, 11
    ),
    "a part unasked": Scene(always(TREE, Answer(206, b"x")), "part that was not asked for", TREE),
    # Too much of it
    "gzip bomb": Scene(
        always(FILEZ, Answer(200, BOMB, {"Content-Encoding": "gzip"})), "invalid", FILEZ, 11
    ),
    "gzip bomb: tree": Scene(
        always(TREE, Answer(200, BOMB, {"Content-Encoding": "gzip"})), CORRUPTED, TREE, 11
    ),
    "deflate bomb": Scene(
        lambda _s, _w: on(FILEZ, Answer(200, lying_file(100, 50 * MIB))),
        "content holds|compressed content", FILEZ, 11,
    ),
    "long deflate bomb": Scene(
        lambda _s, _w: on(FILEZ, Answer(200, lying_file(100, 300 * MIB))),
        "exceeded maximum size of", FILEZ,
    ),
    "deflate bomb of its size": Scene(
        lambda _s, _w: on(FILEZ, Answer(200, lying_file(300 * MIB, 300 * MIB))), CORRUPTED, FILEZ, 11
    ),
    "a size without content": Scene(
        lambda _s, _w: on(FILEZ, Answer(200, lying_file(1 << 62, MIB))),
        "content holds|compressed content", FILEZ, 11,
    ),
    "endless file": Scene(generated(FILEZ, endless), "exceeded maximum size|invalid", FILEZ, 40),
    "endless file that fits": Scene(
        generated(FILEZ, lambda: endless_file(5 * MIB)), "exceeded maximum size", FILEZ, 40
    ),
    "endless tree": Scene(generated(TREE, endless), "exceeded maximum size", TREE),
    "endless dirmeta": Scene(generated(META, endless), "exceeded maximum size", META),
    "endless commit": Scene(generated(COMMIT, endless), "exceeded maximum size", COMMIT),
    "endless signatures": Scene(generated(DETACHED, endless), "exceeded maximum size", DETACHED),
    "endless summary": Scene(generated(SUMMARY, endless), "exceeded maximum size", SUMMARY),
    "endless summary.sig": Scene(
        generated(SIGNATURES, endless), "exceeded maximum size", SIGNATURES
    ),
    "a tree of 1 GB": Scene(
        always(TREE, Answer(200, endless(), length=GIB)), "exceeded maximum size", TREE
    ),
    "endless header": Scene(endless_header(b"X-Y: z\r\n"), "header", FILEZ),
    "endless header line": Scene(endless_header(b"y" * 99), r"header|\[\d+\]", FILEZ),
    "endless patience": Scene(
        lambda _s, _w: on(FILEZ, Raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000_000)),
        r"header|\[\d+\]", FILEZ,
    ),
    # Too slowly
    "a byte now and then": Scene(generated(FILEZ, dribble), r"\[28\]", FILEZ, options=IMPATIENT),
    "silence": Scene(
        always(TREE, Answer(200, b"x", length=500, then_hang=True)), r"\[28\]", TREE,
        options=IMPATIENT,
    ),
    # Elsewhere
    "in circles": Scene(redirects(TREE, ""), r"\[47\]", TREE),
    "to a file": Scene(redirects(TREE, "file:///etc/passwd"), r"\[1\]", "file:///etc/passwd"),
    "to ftp": Scene(redirects(TREE, "ftp://127.0.0.1/x"), r"\[1\]", "ftp://127.0.0.1/x"),
    "to nothing": Scene(redirects(TREE, "http://127.0.0.1:1/x"), r"\[7\]", "127.0.0.1:1/x"),
    # No
    "404 for all": Scene(always("", Answer(404)), "HTTP 404", "/refs/heads/main", 20),
    "404 for files": Scene(always(FILEZ, Answer(404)), "HTTP 404", FILEZ),
    "403 for trees": Scene(always(TREE, Answer(403)), "HTTP 403", TREE),
    "500 for all": Scene(always("", Answer(500)), "HTTP 500", SIGNATURES),
    "503 for files": Scene(always(FILEZ, Answer(503)), "HTTP 503", FILEZ),
    "418 for commits": Scene(always(COMMIT, Answer(418)), "HTTP 418", COMMIT),
}  # fmt: skip
QUICK = ("--network-retries=1",)


def check_refusal(words: str, url: str, scene: Scene) -> None:
    """One sentence, with the cause and the address."""
    errors = [line for line in words.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, words
    assert "Traceback" not in words
    assert "internal error" not in words
    assert re.search(scene.sentence, errors[0]), words
    # In a hint as well: what scripts read must stay libostree's.
    found = re.findall(r"(?:http|file|ftp)://[^\s:,']*(?::\d+)?[^\s:,']*", words)
    assert any(re.search(scene.where, address.rstrip(".")) for address in found), words
    assert "://" in scene.where or url in words or "127.0.0.1:1" in words


def in_modes(scenes: dict[str, Scene]) -> list[tuple[str, str]]:
    """Files are taken in another way by each of these modes, and nothing else is."""
    both = [("bare-user", name) for name, scene in scenes.items() if scene.where == FILEZ]
    return [*(("archive", name) for name in scenes), *both]


@pytest.mark.parametrize(("mode", "name"), in_modes(SCENES))
def test_it_fails_and_then_succeeds(world, server, tmp_path, mode, name):
    scene = SCENES[name]
    puller = Puller(tmp_path / "repo", server.url, mode)
    server.rule(scene.rule(server, world))
    done = puller.pull("origin:main", *QUICK, *scene.options)
    assert done.status == scene.status, done
    check_refusal(done.words, server.url, scene)
    puller.check_nothing_came()
    server.forget()
    puller.check_honest_pull(world.new)


def first_visits(rule: Rule, visits: int = 1) -> Rule:
    return lambda asked: rule(asked) if asked.visit <= visits else None


PASSING = {
    "every second dropped": lambda _s: drop_every(2),
    "every seventh dropped": lambda _s: drop_every(7),
    "each cut once": lambda s: truncate_bodies(s, 20, visits=1),
    "a long one cut often": lambda s: truncate_bodies(s, 300 * 1024, visits=9),
    "each 503 at first": lambda _s: first_visits(on("", Answer(503, b"busy"))),
    "each 500 at first": lambda _s: first_visits(on("", Answer(500, b"oh"))),
    "silent at first": lambda _s: first_visits(
        on(TREE, Answer(200, b"x", length=500, then_hang=True))
    ),
    "redirected once": lambda _s: on(
        r"^/objects", lambda asked: Answer(302, headers={"Location": f"/moved{asked.path}"})
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["archive", "bare-user"])
@pytest.mark.parametrize("name", PASSING)
def test_troubles_that_pass(world, server, tmp_path, mode, name):
    puller = Puller(tmp_path / "repo", server.url, mode)
    server.rule(PASSING[name](server))
    server.rule(
        on(r"^/moved", lambda asked: Answer(200, server.body_of(asked.path[6:]) or b""))
        if name == "redirected once"
        else lambda _asked: None
    )
    done = puller.pull("origin:main", *IMPATIENT)
    assert done.status == 0, done
    puller.check_sound()
    assert OURS(puller.option, "rev-parse", "origin:main") == world.new


# ---- who says so


SIGNED = (
    "--set=sign-verify=ed25519", "--set=sign-verify-summary=ed25519",
    f"--set=verification-ed25519-key={KEY.public_text}",
)  # fmt: skip
STRANGE = (*SIGNED[:2], f"--set=verification-ed25519-key={STRANGER.public_text}")


def old_summary(world: World) -> list[Rule]:
    return [
        on(SUMMARY, Answer(200, world.old_summary)),
        on(SIGNATURES, Answer(200, world.old_signatures)),
    ]


TRUST = {
    "summary and signature disagree": Scene(
        lambda _s, w: on(SUMMARY, Answer(200, w.old_summary)), "[Ss]ignature", SUMMARY, 30
    ),
    "signature of another time": Scene(
        lambda _s, w: on(SIGNATURES, Answer(200, w.old_signatures)), "[Ss]ignature", SUMMARY, 30
    ),
    "signature that is none": Scene(
        always(SIGNATURES, Answer(200, b"garbage")), "[Ss]ignature|signed", SUMMARY, 30
    ),
    "no signature": Scene(always(SIGNATURES, Answer(404)), "no summary.sig found", SUMMARY, 30),
    "no summary": Scene(always("/summary", Answer(404)), "no summary found", SUMMARY, 30),
    "commit without signature": Scene(
        always(DETACHED, Answer(404)), "no signatures found|[Ss]ignature", COMMIT, 30
    ),
    "commit with garbage for signatures": Scene(
        always(DETACHED, Answer(200, b"garbage")), "no signatures found|[Ss]ignature", COMMIT, 30
    ),
    "signatures of another commit": Scene(another("commitmeta"), "[Ss]ignature", COMMIT, 30),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUST)
def test_nobody_vouches_for_it(world, server, tmp_path, name):
    scene = TRUST[name]
    puller = Puller(tmp_path / "repo", server.url, "archive", *SIGNED)
    server.rule(scene.rule(server, world))
    done = puller.pull("origin:main", *QUICK)
    assert done.status == scene.status, done
    check_refusal(done.words, server.url, scene)
    puller.check_nothing_came()
    server.forget()
    puller.check_honest_pull(world.new)


def test_a_wrong_key(server, tmp_path):
    puller = Puller(tmp_path / "repo", server.url, "archive", *STRANGE)
    done = puller.pull("origin:main", *QUICK)
    assert done.status == 30, done
    check_refusal(done.words, server.url, Scene(another(""), "[Ss]ignature", SUMMARY))
    puller.check_nothing_came()
    assert [path for path in server.paths() if path.startswith("/objects")] == []


@pytest.mark.parametrize("mirror", [False, True], ids=["remote", "mirror"])
def test_a_rollback(world, server, tmp_path, mirror):
    """Old, and well signed: only the time tells, and only if it is asked for."""
    puller = Puller(tmp_path / "repo", server.url, "archive", *SIGNED)
    words = ("--mirror", "origin", "main") if mirror else ("origin:main",)
    ref = "main" if mirror else "origin:main"
    assert puller.pull(*words).status == 0
    for rule in old_summary(world):
        server.rule(rule)
    for check in ("--timestamp-check", f"--timestamp-check-from-rev={world.new}"):
        done = puller.pull(*words, check)
        assert done.status == 11, done
        assert world.old in done.words
        assert "chronologically older" in done.words
        assert OURS(puller.option, "rev-parse", ref) == world.new
        puller.check_sound()
    # Not asked for, it is done: so it is in libostree, and trust.md says so.
    assert puller.pull(*words).status == 0
    assert OURS(puller.option, "rev-parse", ref) == world.old
    puller.check_sound()
    server.forget()
    assert puller.pull(*words).status == 0
    assert OURS(puller.option, "rev-parse", ref) == world.new


# ---- refs, commits and trees that make no sense

REFS = {
    "garbage": (b"<html>\xff\0</html>", "Invalid rev", 20),
    "empty": (b"", "Invalid rev", 20),
    "another ref": (b"ref: refs/heads/other\n", "Invalid rev", 20),
    "too long": (b"a" * 5000, "exceeded maximum size", 40),
    "endless": (endless, "exceeded maximum size", 40),
    "a commit that is not there": (b"ab" * 32, "HTTP 404", 40),
}  # fmt: skip


def serve_without_summary(server: HostileServer) -> None:
    server.rule(on("/summary", Answer(404)))


@pytest.mark.parametrize("name", REFS)
def test_refs(world, server, tmp_path, name):
    body, sentence, status = REFS[name]
    puller = Puller(tmp_path / "repo", server.url, "archive")
    serve_without_summary(server)
    server.rule(
        on("/refs/heads/main$", lambda _asked: Answer(200, body() if callable(body) else body))
    )
    done = puller.pull("origin:main", *QUICK)
    assert done.status == status, done
    where = "/objects/" if "commit" in name else "/refs/heads/main$"
    check_refusal(done.words, server.url, Scene(always("", Drop()), sentence, where))
    puller.check_nothing_came()
    server.forget()
    puller.check_honest_pull(world.new)


@pytest.mark.parametrize("suffix", ["dirtree", "dirmeta", "filez"])
def test_a_ref_to_what_is_no_commit(world, server, tmp_path, suffix):
    """Its bytes have that name; they are something else all the same."""
    path = world.objects(suffix)[0]
    checksum = path.removeprefix("/objects/").replace("/", "").partition(".")[0]
    puller = Puller(tmp_path / "repo", server.url, "archive")
    serve_without_summary(server)
    server.rule(on("/refs/heads/main$", Answer(200, checksum.encode())))
    server.rule(on(COMMIT, Answer(200, server.body_of(path) or b"")))
    done = puller.pull("origin:main", *QUICK)
    assert done.status == (11 if suffix == "filez" else 10), done
    check_refusal(
        done.words, server.url, Scene(always("", Drop()), "Not normal form|Corrupted", COMMIT)
    )
    puller.check_nothing_came()
    assert "commit" not in "".join(map(str, puller.path.glob("objects/??/*")))


@pytest.mark.parametrize("name", [b"..", b".", b"a/b", b"/", b"../x", b"\xff\xfe"])
@pytest.mark.parametrize("mirror", [False, True], ids=["remote", "mirror"])
def test_names_that_lead_elsewhere(world, server, tmp_path, name, mirror):
    files, checksum = commit_with_name(name)
    puller = Puller(tmp_path / "repo", server.url, "bare-user" if not mirror else "archive")
    serve_without_summary(server)
    server.rule(on("/refs/heads/main$", Answer(200, checksum.encode())))
    server.rule(lambda asked: Answer(200, files[asked.path]) if asked.path in files else None)
    words = ("--mirror", "origin", "main") if mirror else ("origin:main",)
    done = puller.pull(*words, *QUICK)
    assert done.status == 10, done
    check_refusal(done.words, server.url, Scene(always("", Drop()), "filename|Not normal", TREE))
    puller.check_nothing_came()


@pytest.mark.parametrize("name", [b"../x", b"/etc", b"a//b", b"x\xff.", b".//."])
def test_summaries_with_names_that_lead_elsewhere(world, server, tmp_path, name):
    """In a mirror of all refs they would become paths."""
    summary = (world.repo / "summary").read_bytes()
    evil = summary.replace(b"main\0", name[:4].ljust(4, b"/") + b"\0")
    assert evil != summary
    puller = Puller(tmp_path / "repo", server.url, "archive")
    server.rule(on(SUMMARY, Answer(200, evil)))
    done = puller.pull("--mirror", "origin", *QUICK)
    assert done.status in {10, 20}, done
    check_refusal(done.words, server.url, Scene(always("", Drop()), "ref name|damaged", SUMMARY))
    puller.check_nothing_came()


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\0" * 4096, bytes(range(256)) * 4096],
    ids=["empty", "page", "zeros", "bytes"],
)
def test_summaries_that_are_none(world, server, tmp_path, body):
    puller = Puller(tmp_path / "repo", server.url, "archive")
    server.rule(on(SUMMARY, Answer(200, body)))
    done = puller.pull("origin:main", *QUICK)
    if not body:
        # Of no bytes, an empty one: no such ref.
        assert done.status == 20
    else:
        assert done.status == 20, done
        check_refusal(
            done.words, server.url, Scene(always("", Drop()), "damaged|No such branch", SUMMARY)
        )
    puller.check_nothing_came()
    server.forget()
    assert puller.pull("origin:main").status == 0


@pytest.mark.loop
def test_the_disk_is_not_filled(world, server, tmp_path):
    """A file that says it is as large as the disk ends where the reserve begins."""
    disk = mounts.mount("tmpfs", tmp_path, size=160 * MIB)
    puller = Puller(disk / "repo", server.url, "archive")
    OURS("config", puller.option, "set", "core.min-free-space-size", "100MB")
    server.rule(on(FILEZ, lambda _asked: Answer(200, endless_file(1 << 40))))
    done = puller.pull("origin:main", *QUICK)
    assert done.status == 20, done
    sentence = "min-free-space-size 100MB would be exceeded"
    check_refusal(done.words, server.url, Scene(always("", Drop()), sentence, FILEZ))
    puller.check_nothing_came()
    server.forget()
    assert puller.pull("origin:main").status == 0
