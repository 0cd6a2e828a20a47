# SPDX-License-Identifier: Apache-2.0
"""Bad input ends in one sentence that names the object or path, and loses nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, clean_environment

MODES = ("archive", "bare", "bare-user", "bare-user-only")
KINDS = ("commit", "dirtree", "dirmeta", "file")


@pytest.fixture(params=MODES)
def repo(request, tmp_path) -> Path:
    """A repository with one commit on ``main``; the tree it was made from is beside it."""
    return make_repo(tmp_path, request.param)


def make_repo(folder: Path, mode: str) -> Path:
    trees.write(folder / "tree/usr/file", trees.seeded_bytes(9000, 4), 0o755)
    trees.write(folder / "tree/etc/conf", b"a=b\n")
    (folder / "tree/link").symlink_to("usr/file")
    path = folder / "repo"
    OURS("init", f"--repo={path}", f"--mode={mode}")
    extra = ["--canonical-permissions"] if mode == "bare-user-only" else []
    OURS(f"--repo={path}", "commit", "-b", "main", *extra, f"--tree=dir={folder / 'tree'}")
    return path


def an_object(repo: Path, kind: str) -> Path:
    """One object; of files a large one, of trees the root's."""
    pattern = {"file": "*.file*"}.get(kind, f"*.{kind}")
    found = [
        p for p in sorted((repo / "objects").rglob(pattern)) if p.is_file() and not p.is_symlink()
    ]
    return max(found, key=lambda p: p.lstat().st_size)


def name_of(path: Path) -> str:
    return path.parent.name + path.name.partition(".")[0]


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    replace(path, bytes(content))


def grow(path: Path) -> None:
    replace(path, path.read_bytes() + b"\0" * 64)


def garbage(path: Path) -> None:
    replace(path, trees.seeded_bytes(5000, 7))


def replace(path: Path, content: bytes) -> None:
    """New content in the same inode, so that owner, mode and xattrs stay."""
    with path.open("r+b") as stream:
        stream.truncate(0)
        stream.write(content)


def missing(path: Path) -> None:
    path.unlink()


DAMAGES = {f.__name__: f for f in (truncate, empty, flip, grow, garbage, missing)}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_fsck_names_a_damaged_object(repo, kind, damage):
    if damage is grow and kind == "file" and "archive" in (repo / "config").read_text():
        pytest.skip("what follows the end of a deflated stream is not part of the object")
    victim = an_object(repo, kind)
    damage(victim)
    words = OURS.fails(f"--repo={repo}", "fsck")
    assert name_of(victim) in words


@pytest.mark.parametrize(
    "damage",
    [d for n, d in DAMAGES.items() if n != "flip"],
    ids=[n for n in DAMAGES if n != "flip"],
)
@pytest.mark.parametrize("kind", ["commit", "dirtree", "dirmeta"])
def test_readers_of_damaged_metadata_refuse_in_a_sentence(repo, tmp_path, kind, damage):
    victim = an_object(repo, kind)
    damage(victim)
    words = OURS.fails(f"--repo={repo}", "checkout", "-U", "main", tmp_path / "out")
    assert name_of(victim) in words
    assert len(words.strip().splitlines()) <= 2  # the sentence, perhaps a hint


@pytest.mark.parametrize("damage", [truncate, empty, garbage, missing])
def test_a_damaged_archive_file_is_not_checked_out_silently(tmp_path, damage):
    repo = make_repo(tmp_path, "archive")
    victim = an_object(repo, "file")
    damage(victim)
    words = OURS.fails(f"--repo={repo}", "checkout", "-U", "main", tmp_path / "out")
    assert name_of(victim) in words


def test_an_archive_object_that_inflates_to_more_than_it_says(tmp_path):
    """A bomb behind a small header: refused without writing what does not belong."""
    repo = make_repo(tmp_path, "archive")
    victim = an_object(repo, "file")
    content = victim.read_bytes()
    header = content[: 8 + int.from_bytes(content[:4], "big")]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    replace(victim, header + packer.compress(bytes(64 * 1024 * 1024)) + packer.flush())
    for words in (
        OURS.fails(f"--repo={repo}", "fsck"),
        OURS.fails(f"--repo={repo}", "checkout", "-U", "main", tmp_path / "out"),
    ):
        assert name_of(victim) in words


def test_an_archive_header_longer_than_any_real_one(tmp_path):
    repo = make_repo(tmp_path, "archive")
    victim = an_object(repo, "file")
    replace(victim, b"\xff\xff\xff\xff\0\0\0\0" + bytes(100))
    assert name_of(victim) in OURS.fails(f"--repo={repo}", "fsck")


@pytest.mark.parametrize("kind", KINDS)
def test_pull_local_refuses_damaged_objects_and_keeps_the_target(tmp_path, kind):
    source = make_repo(tmp_path, "archive")
    target = tmp_path / "target"
    OURS("init", f"--repo={target}", "--mode=bare-user")
    flip(an_object(source, kind))
    words = OURS.fails(f"--repo={target}", "pull-local", "--untrusted", source, "main")
    assert words.count("\n") <= 2
    assert OURS(f"--repo={target}", "refs") == ""
    OURS(f"--repo={target}", "fsck")


def test_pull_local_of_an_incomplete_source(tmp_path):
    source = make_repo(tmp_path, "archive")
    target = tmp_path / "target"
    OURS("init", f"--repo={target}", "--mode=bare-user")
    victim = an_object(source, "file")
    victim.unlink()
    assert name_of(victim) in OURS.fails(f"--repo={target}", "pull-local", source, "main")
    assert OURS(f"--repo={target}", "refs") == ""


HOSTILE_NAMES = [b"..", b".", b"", b"a/b", b"\xff\xfe"]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=repr)
def test_a_hostile_name_in_a_dirtree_never_reaches_the_disk(tmp_path, name):
    """A directory object with a forged name, under its right checksum."""
    import hashlib

    repo = make_repo(tmp_path, "archive")
    root = next(p for p in (repo / "objects").rglob("*.dirtree") if b"link" in p.read_bytes())
    forged = forge_dirtree(name, bytes.fromhex(name_of(an_object(repo, "file"))))
    digest = hashlib.sha256(forged).hexdigest()
    place = repo / "objects" / digest[:2] / f"{digest[2:]}.dirtree"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(forged)
    commit = an_object(repo, "commit")
    content = commit.read_bytes().replace(bytes.fromhex(name_of(root)), bytes.fromhex(digest))
    new = hashlib.sha256(content).hexdigest()
    place = repo / "objects" / new[:2] / f"{new[2:]}.commit"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    (repo / "refs/heads/main").write_text(new + "\n")
    folder = tmp_path / "within"
    folder.mkdir()
    arguments = (["checkout", "-U", "main", folder / "out"], ["fsck"], ["ls", "-R", "main"])
    for words in arguments:
        assert digest in OURS.fails(f"--repo={repo}", *words)
    assert [path for path in folder.rglob("*") if not path.is_dir()] == []
    assert set(folder.iterdir()) <= {folder / "out"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repo", "tree", "within"]


def forge_dirtree(name: bytes, content: bytes) -> bytes:
    """A directory of one file of this name, framed as GVariant frames it."""
    entry = name + b"\0" + content
    entry += bytes([len(name) + 1])
    files = entry + bytes([len(entry)])
    return files + bytes([len(files)])


def test_a_name_that_is_not_utf8_is_refused_with_its_path(tmp_path):
    os.mkdir(tmp_path / "tree")
    with open(os.fsencode(tmp_path / "tree") + b"/bad-\xff-name", "wb"):
        pass
    OURS("init", f"--repo={tmp_path / 'repo'}", "--mode=archive")
    words = OURS.fails(
        f"--repo={tmp_path / 'repo'}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}"
    )
    assert "bad-" in words
    assert f"{tmp_path}/tree: " in words
    assert OURS(f"--repo={tmp_path / 'repo'}", "refs") == ""


def test_a_link_target_that_is_not_utf8_is_refused_with_the_path_of_the_link(tmp_path):
    (tmp_path / "tree/below").mkdir(parents=True)
    os.symlink(b"\xff", os.fsencode(tmp_path / "tree/below/odd"))
    OURS("init", f"--repo={tmp_path / 'repo'}", "--mode=archive")
    words = OURS.fails(
        f"--repo={tmp_path / 'repo'}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}"
    )
    assert words.startswith(f"error: {tmp_path}/tree/below/odd: Invalid UTF-8 in symlink target")


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_special_files_are_refused_with_their_path(tmp_path, kind):
    trees.write(tmp_path / "tree/fine", b"x")
    odd = tmp_path / "tree" / "odd-one"
    if kind == "fifo":
        os.mkfifo(odd)
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as listener:
            cwd = os.open(".", os.O_PATH)
            os.chdir(odd.parent)
            listener.bind(odd.name)
            os.fchdir(cwd)
            os.close(cwd)
    OURS("init", f"--repo={tmp_path / 'repo'}", "--mode=archive")
    words = OURS.fails(
        f"--repo={tmp_path / 'repo'}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}"
    )
    assert "odd-one" in words


def test_loops_of_symbolic_links(tmp_path):
    repo = tmp_path / "repo"
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").symlink_to("b")
    (tmp_path / "tree/b").symlink_to("a")
    OURS("init", f"--repo={repo}", "--mode=archive")
    OURS(f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}")
    words = OURS.fails(f"--repo={repo}", "cat", "main", "/a")
    assert "/a" in words or "link" in words.lower()
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    assert "x" in OURS.fails(
        f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'x'}"
    )
    assert str(tmp_path / "x") in OURS.fails(f"--repo={tmp_path / 'x'}", "refs")


def test_a_ref_that_is_a_loop_of_links(repo):
    (repo / "refs/heads/one").symlink_to("two")
    (repo / "refs/heads/two").symlink_to("one")
    assert "one" in OURS.fails(f"--repo={repo}", "rev-parse", "one")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"not a checksum\n", b"\xff" * 64, b"0" * 63 + b"\n"], ids=repr
)
def test_a_ref_that_holds_no_checksum(repo, content):
    (repo / "refs/heads/broken").write_bytes(content)
    OURS.fails(f"--repo={repo}", "rev-parse", "broken")
    OURS.fails(f"--repo={repo}", "checkout", "broken", "nowhere")


CONFIGS = {
    "unknown mode": "[core]\nrepo_version=1\nmode=quantum\n",
    "unknown version": "[core]\nrepo_version=99\nmode=bare\n",
    "no mode": "[core]\nrepo_version=1\n",
    "not a key file": "][\n\0\xff",
    "empty": "",
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_a_config_nobody_can_use(tmp_path, config):
    repo = make_repo(tmp_path, "archive")
    (repo / "config").write_text(config, encoding="latin-1")
    before = trees.snapshot(repo)
    done = OURS.run(f"--repo={repo}", "refs")
    if config.startswith("[core]\nrepo_version=1\n") and "mode" not in config:
        assert done.returncode == 0 or b"mode" in done.stderr  # libostree takes bare as the default
    else:
        words = OURS.fails(
            f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}"
        )
        assert (
            "quantum" in words or "version" in words or "config" in words or "key" in words.lower()
        )
    assert not trees.differences(before, trees.snapshot(repo))


def test_a_directory_that_is_no_repository(tmp_path):
    assert str(tmp_path) in OURS.fails(f"--repo={tmp_path}", "refs")
    assert "nowhere" in OURS.fails(f"--repo={tmp_path / 'nowhere'}", "refs")


def test_a_parent_that_is_not_there(repo, tmp_path):
    words = OURS.run(f"--repo={repo}", "log", "main^")
    assert words.returncode != 0
    assert b"main" in words.stderr or b"parent" in words.stderr
    OURS(
        f"--repo={repo}",
        "commit",
        "-b",
        "main",
        "--parent=" + "ab" * 32,
        f"--tree=dir={tmp_path / 'tree'}/etc",
        *canonical(repo),
    )
    assert "ab" * 32 in OURS.fails(f"--repo={repo}", "checkout", "-U", "main^", tmp_path / "out")


def canonical(repo: Path) -> list[str]:
    return ["--canonical-permissions"] if "bare-user-only" in (repo / "config").read_text() else []


def test_a_parent_repository_that_is_not_there(tmp_path):
    repo = make_repo(tmp_path, "bare-user")
    with (repo / "config").open("a") as config:
        config.write("parent=/nowhere/at/all\n")
    assert "/nowhere/at/all" in OURS.fails(f"--repo={repo}", "refs")


def unprivileged() -> list[str]:
    """What to put before a command so that file modes count for it, also when we are root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def refused(*words: str | Path) -> str:
    argv = [*unprivileged(), *OURS.argv(*words)]
    env = clean_environment()
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert done.returncode != 0
    assert "internal error" not in done.stderr, done.stderr
    assert "ermission denied" in done.stderr
    return done.stderr


def test_a_file_nobody_may_read(tmp_path):
    repo = make_repo(tmp_path, "archive")
    before = OURS(f"--repo={repo}", "rev-parse", "main")
    trees.write(tmp_path / "tree/usr/secret", b"secret", 0o000)
    words = refused(f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}")
    assert "secret" in words
    assert OURS(f"--repo={repo}", "rev-parse", "main") == before
    OURS(f"--repo={repo}", "fsck")


def test_a_directory_nobody_may_list(tmp_path):
    repo = make_repo(tmp_path, "archive")
    trees.write(tmp_path / "tree/closed/file", b"x")
    (tmp_path / "tree/closed").chmod(0o000)
    words = refused(f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}")
    (tmp_path / "tree/closed").chmod(0o755)
    assert "closed" in words


def test_a_repository_nobody_may_write(tmp_path):
    repo = make_repo(tmp_path, "archive")
    before = trees.snapshot(repo)
    folders = [repo, *(p for p in repo.rglob("*") if p.is_dir() and not p.is_symlink())]
    modes = {folder: folder.stat().st_mode for folder in folders}
    for folder in folders:
        folder.chmod(0o555)
    for words in (
        ("commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}/etc"),
        ("refs", "main", "--create=other"),
        ("refs", "--delete", "main"),
        ("summary", "-u"),
    ):
        refused(f"--repo={repo}", *words)
    for folder, mode in modes.items():
        folder.chmod(mode)
    assert not trees.differences(before, trees.snapshot(repo))


def test_a_destination_nobody_may_write(tmp_path):
    repo = make_repo(tmp_path, "archive")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    words = refused(f"--repo={repo}", "checkout", "-U", "main", closed / "out")
    assert "out" in words


def test_a_file_that_changes_while_it_is_read(tmp_path):
    """A file that grows under the reader's hands: refused by name, or one moment of it; never a torn object."""
    tree, repo = tmp_path / "tree", tmp_path / "repo"
    trees.write(tree / "growing", b"x" * 1_000_000)
    OURS("init", f"--repo={repo}", "--mode=archive")
    script = f"while :; do printf '%1000s' y >> {tree}/growing; done"
    writer = subprocess.Popen(["sh", "-c", script])
    try:
        for _ in range(3):
            done = OURS.run(f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tree}")
            assert b"Traceback" not in done.stderr
            assert done.returncode == 0 or b"growing" in done.stderr
    finally:
        writer.kill()
        writer.wait()
    OURS(f"--repo={repo}", "fsck")


def test_two_writers_of_one_ref(tmp_path):
    """Both succeed, one after the other; the ref is one of the two and whole."""
    repo = make_repo(tmp_path, "archive")
    trees.write(tmp_path / "other/file", b"other")
    argvs = [
        OURS.argv(f"--repo={repo}", "commit", "-b", "main", f"--tree=dir={tmp_path / t}")
        for t in ("tree", "other")
    ]
    running = [
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        for argv in argvs
        for _ in range(3)
    ]
    sums = {process.communicate()[0].strip() for process in running}
    assert all(process.returncode == 0 for process in running)
    assert OURS(f"--repo={repo}", "rev-parse", "main") in sums
    OURS(f"--repo={repo}", "fsck")


def test_unknown_options_and_verbs_are_named(repo):
    assert "--no-such" in OURS.fails(f"--repo={repo}", "commit", "--no-such")
    assert "no-such-verb" in OURS.fails("no-such-verb")
    done = OURS.run(f"--repo={repo}", "commit", "--no-such")
    assert done.returncode == 2


def test_damage_is_found_after_a_copy_of_the_repository(tmp_path):
    """--all goes on after the first, and names every one."""
    repo = make_repo(tmp_path, "archive")
    copy = tmp_path / "copy"
    shutil.copytree(repo, copy, symlinks=True)
    victims = list((copy / "objects").rglob("*.filez"))
    for victim in victims:
        flip(victim)
    done = OURS.run(f"--repo={copy}", "fsck", "-a")
    assert done.returncode != 0
    for victim in victims:
        assert name_of(victim).encode() in done.stderr + done.stdout


VIEWS = (
    ["log"],
    ["log", "--raw"],
    ["log", "--json"],
    ["show"],
    ["show", "--raw"],
    ["show", "--json"],
)


@pytest.mark.parametrize("damage", [truncate, empty, grow, garbage])
def test_every_view_of_a_damaged_commit_names_it(tmp_path, damage):
    repo = make_repo(tmp_path, "archive")
    victim = an_object(repo, "commit")
    damage(victim)
    for view in VIEWS:
        words = OURS.fails(f"--repo={repo}", *view, "main")
        assert words.startswith(f"error: {name_of(victim)}.commit: "), view


@pytest.mark.peer
@pytest.mark.parametrize("tool", [OURS, PEER], ids=["ours", "peer"])
@pytest.mark.parametrize("content", ["bad", ""], ids=["bad", "empty"])
def test_a_damaged_ref_can_be_seen_and_deleted(tmp_path, tool, content):
    repo = make_repo(tmp_path, "archive")
    (repo / "refs/heads/z").write_text(content)
    option = f"--repo={repo}"
    assert sorted(tool(option, "refs").split()) == ["main", "z"]
    for words in (["rev-parse", "z"], ["commit", "-b", "z", f"--tree=dir={tmp_path / 'tree'}"]):
        assert "Invalid rev" in tool.fails(option, *words)
    tool.fails(option, "fsck")
    tool(option, "prune")
    tool(option, "refs", "--delete", "z")
    assert tool(option, "refs") == "main"
    tool(option, "fsck")
