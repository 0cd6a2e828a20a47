# SPDX-License-Identifier: Apache-2.0
"""Small repositories made by the library, and how to look at them."""

from __future__ import annotations

import os
from pathlib import Path

from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.config_writer import write_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import iter_objects
from ostrya.repo.repository import Repository, create_repository, open_repository
from ostrya.repo.runtime import Runtime
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory

WRITABLE_MODES = (
    RepoMode.ARCHIVE,
    RepoMode.BARE,
    RepoMode.BARE_USER,
    RepoMode.BARE_USER_ONLY,
)
ALL_MODES = (*WRITABLE_MODES, RepoMode.BARE_SPLIT_XATTRS)
# Of this process: what any user may give a file.
UID, GID = os.geteuid(), os.getegid()


def need_user_xattrs(folder: Path) -> None:
    """Skip where the file system has no user extended attributes."""
    # Not above: these helpers run in guests too, where there is no pytest.
    import pytest

    probe = folder / "xattr-probe"
    probe.touch()
    try:
        os.setxattr(probe, "user.probe", b"1")
    except OSError:
        pytest.skip(f"no user extended attributes at {folder}")
    finally:
        probe.unlink()


def configure(repo: Repository, **values: object) -> None:
    """Set keys of the core group; underscores stand for dashes."""
    keyfile = repo.config.keyfile
    for key, value in values.items():
        keyfile.set_value("core", key.replace("_", "-"), str(value))
    write_config(repo, keyfile)
    repo.reload_config()
    repo.lock = type(repo.lock)(repo.dir_fd, repo.config.lock_timeout_s, repo.runtime.on_lock_wait)


def make_repo(
    path: Path, mode: RepoMode = RepoMode.ARCHIVE, *, runtime: Runtime | None = None, **core: object
) -> Repository:
    """Make a repository that does not wait for the disk."""
    if mode == RepoMode.BARE_USER:
        need_user_xattrs(path.parent)
    runtime = runtime or Runtime(write_split_xattrs=mode == RepoMode.BARE_SPLIT_XATTRS)
    # A new repository is synced whatever its configuration is going to be.
    import pytest

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _fd: None)
        repo = create_repository(str(path), mode, runtime=runtime)
        configure(repo, **{"fsync": "false", "min_free_space_percent": "0", **core})
    return repo


def reopen(repo: Repository) -> Repository:
    """Open a repository once more, as another process would."""
    return open_repository(repo.path, runtime=repo.runtime)


def plain_tree(top: Path) -> Path:
    """A tree that every mode can hold."""
    for name, content, mode in (
        ("usr/bin/tool", b"#!/bin/sh\n", 0o755),
        ("usr/share/doc/text", b"text\n" * 100, 0o644),
        ("etc/conf", b"key=value\n", 0o644),
        ("etc/empty", b"", 0o644),
    ):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    (top / "bin").symlink_to("usr/bin")
    (top / "hollow").mkdir()
    for folder, dirs, _ in os.walk(top):
        for path in [folder, *(os.path.join(folder, name) for name in dirs)]:
            if not os.path.islink(path):
                os.chmod(path, 0o755)
    return top


def commit_tree(
    repo: Repository,
    top: Path,
    *,
    ref: str | None = "main",
    parent: Checksum | None = None,
    timestamp: int = 1_000_000_000,
    modifier: CommitModifier | None = None,
    jobs: int = 1,
) -> Checksum:
    """Commit a directory; for mode bare-user-only with what that mode can hold."""
    if modifier is None:
        modifier = CommitModifier(canonical_permissions=repo.mode == RepoMode.BARE_USER_ONLY)
    with Transaction(repo) as tx:
        tree = MutableTree()
        write_directory(tx, str(top), tree, modifier, jobs=jobs)
        checksum = write_commit(tx, write_tree(tx, tree), timestamp=timestamp, parent=parent)
        if ref is not None:
            tx.set_ref(None, ref, checksum)
        tx.commit()
    return checksum


def commit_files(
    repo: Repository, folder: Path, files: dict[str, str], **options: object
) -> Checksum:
    """Commit a tree of a few text files."""
    top = folder / f"tree-{os.urandom(4).hex()}"
    top.mkdir()
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o644)
    return commit_tree(repo, top, **options)


def names_of(repo: Repository, *kinds: ObjectType) -> set[ObjectName]:
    """The objects of a repository, of some types."""
    return {name for name in iter_objects(repo) if not kinds or name.type in kinds}


def object_path(repo: Repository, name: ObjectName) -> Path:
    """Where an object lies."""
    suffix = name.type.suffix
    if name.type == ObjectType.FILE and repo.mode == RepoMode.ARCHIVE:
        suffix = "filez"
    return Path(repo.path) / "objects" / name.checksum[:2] / f"{name.checksum[2:]}.{suffix}"


def staging_dirs(repo: Repository) -> list[Path]:
    """The staging directories of a repository."""
    return sorted(p for p in (Path(repo.path) / "tmp").glob("staging-*") if p.is_dir())


def open_fds() -> set[str]:
    """What this process has open."""
    return {f"{fd}:{os.readlink(f'/proc/self/fd/{fd}')}" for fd in _fds()}


def _fds() -> list[str]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
        found.append(fd)
    return found
