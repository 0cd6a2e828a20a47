# SPDX-License-Identifier: Apache-2.0
from ostrya.image.intake.apt_sources import (
    AptSource,
    lines_for,
    parse_deb822,
    parse_list,
    read_apt_sources,
)

LIST = """\
# deb http://mirror.example/off bookworm main
deb http://mirror.example/debian bookworm main contrib  # ours
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/x.gpg] http://mirror.example/debian bookworm-updates main
deb [broken http://mirror.example/debian bookworm main
deb file:/srv/flat ./
nonsense
"""
DEB822 = """\
Types: deb deb-src
URIs: http://mirror.example/debian http://other.example/debian
Suites: trixie trixie-security
Components: main
Signed-By: /keys/y.gpg

# switched off
Types: deb
URIs: http://mirror.example/off
Suites: trixie
Components: main
Enabled: no

Types: deb
URIs: http://mirror.example/inline
Suites: sid
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 Comment: a key
"""
MIRROR = "http://mirror.example/debian"


def test_a_list():
    assert list(parse_list(LIST)) == [
        AptSource(MIRROR, "bookworm", ("main", "contrib")),
        AptSource(MIRROR, "bookworm-updates", ("main",), "/keys/x.gpg"),
        AptSource("file:/srv/flat", "./", ()),
    ]


def test_stanzas():
    found = list(parse_deb822(DEB822))
    assert [(one.uri.split("/")[2], one.suite) for one in found] == [
        ("mirror.example", "trixie"),
        ("mirror.example", "trixie-security"),
        ("other.example", "trixie"),
        ("other.example", "trixie-security"),
        ("mirror.example", "sid"),
    ]
    assert found[0].line() == f"deb [signed-by=/keys/y.gpg] {MIRROR} trixie main"
    assert found[4].signed_by == ""


def test_lines_are_those_of_a_suite_and_what_is_added_to_it():
    sources = list(parse_list(LIST))
    assert lines_for(sources, "bookworm") == [
        f"deb {MIRROR} bookworm main contrib",
        f"deb [signed-by=/keys/x.gpg] {MIRROR} bookworm-updates main",
    ]
    assert lines_for(sources, "sid") == []


def test_all_files_of_apt_are_read(tmp_path):
    assert read_apt_sources(str(tmp_path)) == []
    (tmp_path / "sources.list").write_text(LIST)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/a.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/b.list").write_text("deb file:/srv x main\n")
    (tmp_path / "sources.list.d/c.disabled").write_text("deb file:/off x main\n")
    assert [one.suite for one in read_apt_sources(str(tmp_path))][-2:] == ["sid", "x"]
