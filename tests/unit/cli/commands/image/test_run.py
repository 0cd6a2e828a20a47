# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import pytest

from ostrya.cli.commands.image import run as verb
from ostrya.image.board import load_board


@pytest.fixture
def started(monkeypatch):
    """What would have been started."""
    seen = []

    def start(argv):
        variables = next(
            (word for word in argv if word.startswith("if=pflash,format=raw,file=")), ""
        )
        path = Path(variables.rpartition("=")[2])
        assert not variables or path.read_bytes() == b"variables"
        seen.append(argv)
        return 3

    monkeypatch.setattr(verb, "run_interactive", start)
    monkeypatch.setattr(verb.shutil, "which", lambda name: f"/usr/bin/{name}")
    return seen


@pytest.fixture
def board(monkeypatch, tmp_path):
    """A PC whose firmware is here."""
    (tmp_path / "VARS.fd").write_bytes(b"variables")
    board = load_board("qemu-x86_64")
    qemu = board.qemu._replace(firmware=(), firmware_vars=str(tmp_path / "VARS.fd"))
    monkeypatch.setattr(verb, "load_board", lambda name: board._replace(name=name, qemu=qemu))
    return board


@pytest.mark.usefixtures("board")
def test_it_is_started_and_its_variables_are_a_copy(run, images, started):
    outcome = run("image", "run", "--board=x", images.new, "--ssh-port=2222", "--", "-name", "y")
    assert outcome.status == 3
    assert "Ctrl-A X ends it" in outcome.err
    (argv,) = started
    assert f"if=none,id=disk,format=raw,file={images.new}" in argv
    assert "user,id=network,hostfwd=tcp:127.0.0.1:2222-:22" in argv
    assert argv[-2:] == ["-name", "y"]
    path = next(word for word in argv if "pflash" in word and "readonly" not in word).rpartition(
        "="
    )[2]
    assert not Path(path).exists()


@pytest.mark.usefixtures("board")
def test_a_compressed_one_is_unpacked_and_forgets(run, images, started, tmp_path):
    path = tmp_path / "disk.img.gz"
    path.write_bytes(gzip.compress(Path(images.new).read_bytes(), 1))
    run("image", "run", "--board=x", path)
    word = next(word for word in started[0] if "id=disk" in word)
    assert word.startswith("if=none,id=disk,format=raw,file=/proc/")
    assert word.endswith(",snapshot=on")


def test_the_board_is_that_of_the_manifest(run, images, tmp_path):
    path = tmp_path / "os.wic.gz"
    path.write_bytes(gzip.compress(Path(images.new).read_bytes(), 1))
    (tmp_path / "os.manifest.json").write_text(json.dumps({"board": {"name": "qemu-arm64"}}))
    unpacking, line = run.ok("image", "run", "--dry-run", path).lines
    assert shlex.split(unpacking) == ["gzip", "-dc", str(path), ">", "disk.img"]
    assert shlex.split(line)[0] == "qemu-system-aarch64"
    assert "format=raw,file=disk.img" in line
    (tmp_path / "os.manifest.json").write_text(json.dumps({"board": {"name": "./x.toml"}}))
    assert "'./x.toml', which is not known" in run.fails("image", "run", path, status=60)
    for text, words in (
        ("{", "is no manifest"),
        ("[]", "names no board"),
        ("{}", "names no board"),
    ):
        (tmp_path / "os.manifest.json").write_text(text)
        assert words in run.fails("image", "run", "--dry-run", path, status=60)


def test_a_dry_run_is_what_a_shell_takes(run, images):
    first, second = run.ok("image", "run", "--dry-run", "--board=qemu-x86_64", images.new).lines
    assert shlex.split(first) == ["cp", "/usr/share/OVMF/OVMF_VARS_4M.fd", "vars.fd"]
    assert "if=pflash,format=raw,file=vars.fd" in shlex.split(second)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ((), 60, "nobody says which board"),
        (("--board=x",), 60, "no board 'x'"),
        (("--board=qemu-arm64", "--bios"), 60, "no firmware of the old kind"),
        (("--board=qemu-arm64", "--port=x"), 60, "is no port"),
        (("--board=qemu-arm64", "--memory=5K"), 60, "less than a megabyte"),
        (("--board=qemu-arm64", "--memory=x"), 2, "no size"),
    ],
)
def test_what_cannot_be_started(run, images, options, status, words):
    assert words in run.fails("image", "run", *options, images.new, status=status)


def test_without_an_image(run):
    assert "must be specified" in run.fails("image", "run", status=2)


def test_a_missing_emulator_is_named(run, images, monkeypatch):
    monkeypatch.setattr(verb.shutil, "which", lambda _name: None)
    outcome = run("image", "run", "--board=qemu-arm64", images.new)
    assert "there is no qemu-system-aarch64 here" in outcome.error
    assert "hint: apt-get install qemu-system-arm" in outcome.err
