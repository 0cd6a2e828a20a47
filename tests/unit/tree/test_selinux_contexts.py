# SPDX-License-Identifier: Apache-2.0
"""Which line of ``file_contexts`` counts, on its own and against libselinux."""

from __future__ import annotations

import json
import os
import random
import re
import stat
import subprocess
from pathlib import Path

import pytest

from ostrya.tree.errors import ContextsError
from ostrya.tree.selinux_contexts import (
    FileContexts,
    Substitution,
    has_special,
    literal_prefix,
    parse_substitutions,
    unescape,
)
from support import selinux_oracle

SYSTEM_PYTHON = Path("/usr/bin/python3")
DEBIAN_POLICY = Path("/etc/selinux/default")


def have_oracle() -> bool:
    """Whether libselinux can be asked."""
    if not SYSTEM_PYTHON.exists():
        return False
    done = subprocess.run([SYSTEM_PYTHON, "-c", "import selinux"], capture_output=True, check=False)
    return done.returncode == 0


needs_peer = pytest.mark.skipif(not have_oracle(), reason="needs Debian's python3-selinux")


def contexts(text: str, **fields) -> FileContexts:
    made = FileContexts(**fields)
    made.add_file(text.encode(), "file_contexts")
    return made


def label(text: str, path: str, mode: int = stat.S_IFREG, **fields) -> str | None:
    return contexts(text, **fields).lookup(path.encode(), mode)


def test_the_later_line_wins():
    assert label("/a/.* one\n/a/b.* two\n", "/a/bc") == "two"
    assert label("/a/b.* two\n/a/.* one\n", "/a/bc") == "one"


def test_a_spelled_out_path_wins_over_expressions():
    assert label("/a/b exact\n/a/.* one\n", "/a/b") == "exact"
    assert label("/a/b first\n/a/.* one\n/a/b second\n", "/a/b") == "second"


def test_lines_for_another_type_do_not_count():
    text = "/a/.* -- file\n/a/.* -d directory\n/a/b -l link\n"
    assert label(text, "/a/b", stat.S_IFREG) == "file"
    assert label(text, "/a/b", stat.S_IFDIR) == "directory"
    assert label(text, "/a/b", stat.S_IFLNK) == "link"
    assert label(text, "/a/b", stat.S_IFIFO) is None
    assert label(text, "/a/b", 0) == "link"


def test_none_is_no_label_even_over_others():
    assert label("/.* all\n/tmp/.* <<none>>\n", "/tmp/x") is None
    assert label("/tmp/.* <<none>>\n/.* all\n", "/tmp/x") == "all"


def test_later_files_win():
    made = contexts("/home/.* base\n")
    made.add_file(b"/home/[^/]+ homedirs\n", "file_contexts.homedirs")
    assert made.lookup(b"/home/me", stat.S_IFDIR) == "homedirs"
    made.add_file(b"/home/me local\n", "file_contexts.local")
    assert made.lookup(b"/home/me", stat.S_IFDIR) == "local"


def test_whole_paths_are_matched():
    assert label("/a/b x\n", "/a/bc") is None
    assert label("/a/b.c x\n", "/a/bxc") == "x"
    assert label("/a(/.*)? x\n", "/a") == "x"
    assert label("/a(/.*)? x\n", "/ab") is None
    assert label(r"/a/b\.c x", "/a/bxc") is None


def test_slashes_are_tidied():
    assert label("/a/b x\n", "//a///b/") == "x"
    assert label("/ x\n", "/") == "x"


def test_substitutions_change_the_beginning():
    made = contexts(
        "/usr/lib/.* lib\n/srv/.* srv\n",
        shipped=parse_substitutions(b"# comment\n\n/lib /usr/lib\n/usr/lib64 /usr/lib\n"),
        local=parse_substitutions(b"/data /lib\n/root2 /\n"),
    )
    assert made.lookup(b"/lib/a", 0) == "lib"
    assert made.lookup(b"/data/a", 0) == "lib"
    assert made.lookup(b"/library", 0) is None
    assert made.lookup(b"/root2/srv/x", 0) == "srv"


def test_the_last_substitution_is_tried_first():
    found = parse_substitutions(b"/a /b\n/a /c\n")
    assert found == [Substitution(b"/a", b"/c"), Substitution(b"/a", b"/b")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/a\n", "line 1 is missing fields"),
        ("# fine\n/a -x context\n", "line 2 has invalid file type -x"),
        ("/ä context\n", "line 1: Non-ASCII"),
    ],
)
def test_lines_that_cannot_be_parsed(text, words):
    with pytest.raises(ContextsError, match=f"file_contexts: {words}"):
        contexts(text)


def test_an_expression_is_compiled_when_it_is_needed():
    made = contexts("/a/.* x\n/b/(.* y\n")
    assert made.lookup(b"/a/b", 0) == "x"
    with pytest.raises(ContextsError, match=r"line 2: invalid expression /b/\(\.\*"):
        made.lookup(b"/b/c", 0)


@pytest.mark.parametrize("expression", ["/a{99999999999999999999}", "/a" + "(" * 5000])
def test_an_expression_that_is_beyond_all_bounds(expression):
    made = contexts(f"{expression} x\n")
    with pytest.raises(ContextsError, match="line 1: invalid expression"):
        made.lookup(b"/a", 0)


def test_an_expression_that_will_mean_something_else_one_day(recwarn):
    assert contexts("/a[[x].* label\n").lookup(b"/a[b", 0) == "label"
    assert not recwarn.list


@pytest.mark.parametrize(
    ("expression", "prefix"),
    [
        (b"/usr/bin/foo.*", b"/usr/bin/foo"),
        (b"/usr/bin/foo?", b"/usr/bin/fo"),
        (b"/usr/bin/foo+", b"/usr/bin/foo"),
        (b"/usr/bin/fo{1,2}", b"/usr/bin/f"),
        (rb"/usr/lib/a\.b/.*", b"/usr/lib/a.b/"),
        (rb"/usr/lib/\d+", b"/usr/lib/"),
        (b"/usr/?", b"/usr/"),
        (b"/usr(/.*)?", b"/usr"),
        (b"/usr/a|/etc/b", b"/usr/"),
        (b"/x|/y", b""),
        (b"/usr/(a|b)/c", b"/usr/"),
        (b"/usr/[|]x", b"/usr/"),
        (b".*", b""),
    ],
)
def test_what_paths_must_begin_with(expression, prefix):
    assert literal_prefix(expression) == prefix


def test_special_characters_may_be_quoted():
    assert has_special(b"/a.b")
    assert not has_special(rb"/a\.b\+")
    assert unescape(rb"/a\.b\+") == b"/a.b+"
    assert unescape(rb"/a\\.") == b"/a\\."
    assert unescape(rb"/a\d") is None


SYNTHETIC = r"""
/.*                     all
/usr/.*                 usr
/usr/(.*/)?bin(/.*)?    bin
/usr/bin/ssh       --   ssh
/usr/bin/ssh.*     -l   sshlink
/usr/?                  usrslash
/usr                    usrexact
/etc/a\.conf            conf
/etc/a\+\+              plus
/etc/[[:digit:]]+x      digits
/etc/[^/]*\.d(/.*)?     dropin
/etc/x|/etc/y           choice
/(lost|found)           topchoice
/var/log/.{2,3}         counted
/var/log/[a-c]+\d?      class
/a\-b/c                 quotedstem
/tmp/.*                 <<none>>
/tmp/keep          -d   keep
/opt/[|]bar             bracket
/dev/null          -c   null
/dev/.*            -b   disk
/srv/(?:a|b)++c         possessive
"""
SYNTHETIC_PATHS = [
    "/", "/usr", "/usr/", "/usr//bin", "/usr/x/bin/y", "/usr/bin/ssh", "/usr/bin/sshd", "/etc",
    "/etc/a.conf", "/etc/axconf", "/etc/a++", "/etc/12x", "/etc/x", "/etc/y", "/etc/xx", "/lost",
    "/found/x", "/var/log/ab", "/var/log/abcd", "/var/log/b7", "/a-b/c", "/tmp", "/tmp/x", "/tmp/keep",
    "/opt/|bar", "/dev/null", "/dev/sda", "/srv/ababc", "/lib/foo", "/lib", "/libx", "/data/bin/ssh",
    "/data", "/etc/foo.d/bar", "/etc/foo.d", "/usr/bin/ssh\n", "/tmp/keep\n", "/etc/a.conf/", "/é/ü",
]  # fmt: skip
MODES = [
    0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO,
    stat.S_IFSOCK,
]  # fmt: skip


def ask_libselinux(policy: Path, questions: list[tuple[str, int]]) -> list[str | None]:
    lines = b"".join(b"%d %s\0" % (mode, os.fsencode(path)) for path, mode in questions)
    done = subprocess.run(
        [SYSTEM_PYTHON, selinux_oracle.__file__, policy],
        input=lines, capture_output=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def disagreements(made: FileContexts, policy: Path, questions: list[tuple[str, int]]):
    theirs = ask_libselinux(policy, questions)
    ours = [made.lookup(os.fsencode(path), mode) for path, mode in questions]
    return [
        (path, oct(mode), mine, other)
        for (path, mode), mine, other in zip(questions, ours, theirs, strict=True)
        if mine != other
    ]


@needs_peer
def test_libselinux_agrees_on_odd_lines(tmp_path):
    folder = tmp_path / "contexts" / "files"
    folder.mkdir(parents=True)
    (folder / "file_contexts").write_text(SYNTHETIC)
    shipped, local = b"/lib /usr/bin\n/lib /usr/lib\n", b"/data /usr\n"
    (folder / "file_contexts.subs_dist").write_bytes(shipped)
    (folder / "file_contexts.subs").write_bytes(local)
    made = contexts(
        SYNTHETIC, shipped=parse_substitutions(shipped), local=parse_substitutions(local)
    )
    questions = [(path, mode) for path in SYNTHETIC_PATHS for mode in MODES]
    assert not disagreements(made, tmp_path, questions)


def paths_of(expressions: list[str]) -> list[str]:
    """Make up paths that expressions may match, by filling in what they leave open."""
    made = []
    choose = random.Random(20221101)
    for expression in expressions:
        path = expression
        for hole, fillings in (
            ("(/.*)?", ("", "/x", "/a/b")),
            ("(.*/)?", ("", "d/")),
            (".*", ("", "q", "/z.so")),
            ("[^/]*", ("", "w")),
            ("[^/]+", ("v",)),
            ("\\.", (".",)),
        ):
            path = path.replace(hole, choose.choice(fillings))
        path = re.sub(r"[?*+()|\[\]^$\\{}]", "", path)
        if path.startswith("/"):
            made.append(path)
    return made


@needs_peer
@pytest.mark.skipif(not DEBIAN_POLICY.is_dir(), reason="needs Debian's selinux-policy-default")
def test_libselinux_agrees_on_debians_policy():
    folder = DEBIAN_POLICY / "contexts" / "files"
    made = FileContexts(
        shipped=parse_substitutions((folder / "file_contexts.subs_dist").read_bytes())
    )
    expressions = []
    for name in ("file_contexts", "file_contexts.homedirs"):
        data = (folder / name).read_bytes()
        made.add_file(data, name)
        expressions += [line.split()[0].decode() for line in data.splitlines() if line.split()]
    choose = random.Random(7)
    questions = [(path, choose.choice(MODES)) for path in paths_of(expressions) * 2]
    for top in ("/etc", "/usr/bin", "/usr/lib", "/usr/share"):
        questions += [(str(p), p.lstat().st_mode) for p in sorted(Path(top).glob("*"))]
        questions += [(str(p), p.lstat().st_mode) for p in sorted(Path(top).glob("*/*"))[:3000]]
    assert len(questions) > 5000
    assert not disagreements(made, DEBIAN_POLICY, questions)
