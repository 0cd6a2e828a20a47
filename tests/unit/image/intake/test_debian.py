# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.errors import OstryaError
from ostrya.image.errors import SourceError
from ostrya.image.intake import debian
from ostrya.image.intake.debian import command, take_debian
from ostrya.image.intake.rules import DEFAULT_LIMITS, Keeping
from ostrya.image.source_kinds import DebianSource
from ostrya.image.tree import TreeEditor
from ostrya.progress import NULL_PROGRESS
from support.archives import member, tar

SOURCE = DebianSource("bookworm", mirrors=("file:///srv/debian",))


@pytest.fixture
def program(tmp_path, monkeypatch):
    """In place of mmdebstrap, a script."""

    def write(script: str) -> None:
        path = tmp_path / "mmdebstrap"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(debian, "_PROGRAM", str(path))

    (tmp_path / "tree.tar").write_bytes(tar((member("usr/f"), b"x" * 10)))
    return write


def take(tx, source=SOURCE):
    return take_debian(tx, source, Keeping(), limits=DEFAULT_LIMITS, progress=NULL_PROGRESS)


def test_how_it_is_called():
    source = DebianSource(
        "trixie", ("vim", "ssh"), "arm64", ("http://x/debian",), ("main", "contrib"),
        "minbase", ("/keys/x.gpg",), ("/usr/share/doc/*",),
    )  # fmt: skip
    argv = command(source, source.mirrors, is_root=False)
    assert argv[0] == "mmdebstrap"
    assert argv[-4:] == ["--", "trixie", "-", "http://x/debian"]
    assert set(argv[1:-4]) == {
        "--format=tar",
        "--mode=unshare",
        "--variant=minbase",
        "--components=main,contrib",
        "--architectures=arm64",
        "--include=vim,ssh",
        "--keyring=/keys/x.gpg",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
    }
    assert "--mode=root" in command(SOURCE, (), is_root=True)


def test_its_tar_is_taken_in(tx, program, tmp_path):
    program(f"cat {tmp_path}/tree.tar; echo 'a warning' >&2")
    assert TreeEditor(tx, take(tx)).read("usr/f") == b"x" * 10


@pytest.mark.parametrize(
    "script", ["", "head -c 700 {tar}; ", "cat {tar}; ", "echo no tar; "], ids=range(4)
)
def test_why_it_gave_up_is_told(tx, program, tmp_path, script):
    words = script.format(tar=tmp_path / "tree.tar")
    said = "I: working\\nE: Unable to locate package nonsense\\nE: setup failed: x"
    program(f"{words}printf '{said}\\n' >&2; exit 25")
    with pytest.raises(SourceError, match=r"cannot make bookworm: E: Unable to locate [^;]*$"):
        take(tx)


def test_a_tar_that_is_none_though_it_ended_well(tx, program):
    program("echo no tar")
    with pytest.raises(OstryaError, match="the bookworm of "):
        take(tx)


def test_it_is_ended_when_we_cannot_go_on(tx, program, tmp_path):
    tidy = f"trap 'echo tidy > {tmp_path}/said; exit 1' TERM"
    program(f"{tidy}; cat {tmp_path}/tree.tar; while :; do sleep 0.1; done")
    limits = DEFAULT_LIMITS._replace(size_bytes=5)
    with pytest.raises(OstryaError, match="more than 5 bytes"):
        take_debian(tx, SOURCE, Keeping(), limits=limits, progress=NULL_PROGRESS)
    assert (tmp_path / "said").read_text() == "tidy\n"


def test_a_suite_that_apt_does_not_know(tx, monkeypatch):
    monkeypatch.setattr(debian, "read_apt_sources", list)
    with pytest.raises(SourceError, match="no source of bookworm") as caught:
        take(tx, DebianSource("bookworm"))
    assert "mirrors" in caught.value.hint


def test_a_program_that_is_not_there(tx, monkeypatch):
    monkeypatch.setattr(debian, "_PROGRAM", "mmdebstrap-is-not-here")
    with pytest.raises(OstryaError, match="not found"):
        take(tx)
