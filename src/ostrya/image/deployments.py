# SPDX-License-Identifier: Apache-2.0
"""A sysroot in a working directory, as an ordinary user, with releases deployed in it.

An ordinary user can neither give files away nor make them setuid. So content is laid out without
owners, in a repository whose mode is ``bare-user-only`` while it is worked on, and a list says what
each file and directory is to be like once it is in a file system: see `filesystem.Inode`. In the
end the repository's mode is ``bare``, which it then is.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya.boot.kargs import KernelArguments
from ostrya.image.filesystem import Inode
from ostrya.image.objects import copy_objects
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.repo.config_writer import write_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import load_dirmeta
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.remotes import add_remote
from ostrya.repo.repository import create_repository
from ostrya.sysroot import paths
from ostrya.sysroot.cleanup import clean_up
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.loading import load_sysroot
from ostrya.sysroot.lock import sysroot_lock
from ostrya.sysroot.order import Retain, with_new_deployment
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.stateroot import make_stateroot, make_sysroot
from ostrya.sysroot.sysroot import Sysroot, SysrootOptions
from ostrya.sysroot.write_deployments import write_deployments
from ostrya.tree.errors import PathNotFound
from ostrya.tree.lookup import Directory, commit_root, resolve_path, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_CORE = "core"
_TEMPORARY = "tmp"
_VAR, _ETC = "/var", "/usr/etc"


class Remote(NamedTuple):
    """Where a device gets its updates.

    Attributes:
        name: What it is called there.
        url: Its address.
        settings: Others, such as ``gpg-verify``.
    """

    name: str
    url: str
    settings: tuple[tuple[str, str | bool], ...] = ()


class StateFile(NamedTuple):
    """A file of a device's ``/var`` that is in no release; nobody but root may read it.

    Attributes:
        path: Where, below ``/var``.
        data: What is in it.
    """

    path: str
    data: bytes


class SystemOptions(NamedTuple):
    """What a system is like on its first day.

    Attributes:
        stateroot: What it is called.
        ref: What it follows.
        kargs: Arguments of its kernel.
        settings: Of its repository: group, key, value.
        loader_links: Links by which its boot loader is found: path, target.
        remotes: Where it gets updates; the first is the one that it follows.
        timestamp: Of whatever was not committed, in seconds since 1970 UTC.
        preloaded: Refs that its repository has besides, and their commits.
        state_files: Of its ``/var``, beside what releases begin with.
    """

    stateroot: str
    ref: str
    kargs: tuple[str, ...]
    settings: tuple[tuple[str, str, str], ...]
    loader_links: tuple[tuple[str, str], ...]
    remotes: tuple[Remote, ...]
    timestamp: int
    preloaded: tuple[tuple[str, Checksum], ...] = ()
    state_files: tuple[StateFile, ...] = ()


def make_system(
    repo: Repository,
    commits: Sequence[Checksum],
    top: str,
    options: SystemOptions,
    *,
    store: str | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> dict[str, Inode]:
    """Lay out a sysroot.

    Args:
        repo: Where the releases are.
        commits: Which are deployed, the oldest first; the last one is the default.
        top: An empty directory.
        options: What the system is like.
        store: Where contents are kept as plain files; None for nowhere.
        progress: Told about objects and files.

    Returns:
        What files and directories are to be like, by their paths below ``top``.

    Raises:
        ObjectNotFound: The repository lacks an object.
        OstryaError: Something cannot be deployed.
        OSError: Something could not be written.
    """
    os.mkdir(f"{top}/ostree", 0o700)
    with create_repository(f"{top}/{paths.REPO}", RepoMode.BARE_USER_ONLY) as target:
        _configure(target, options)
    make_sysroot(top, epoch=2)
    for path, link in options.loader_links:
        os.makedirs(os.path.dirname(f"{top}/{path}"), exist_ok=True)
        os.symlink(link, f"{top}/{path}")
    present = [*commits, *(commit for _, commit in options.preloaded)]
    objects = f"{top}/{paths.REPO}/objects"
    contents = copy_objects(repo, present, objects, progress, store=store)
    inodes = {
        f"{paths.REPO}/objects/{checksum[:2]}/{checksum[2:]}.file": inode
        for checksum, inode in contents.items()
    }
    for commit, path in _deploy_all(top, commits, options, progress):
        inodes.update(_below(repo, commit, "/", path, contents))
        inodes.update(_below(repo, commit, _ETC, f"{path}/etc", contents))
        inodes[path] = inodes[path]._replace(immutable=True)
    var = paths.var_dir(options.stateroot)
    inodes.update(_below(repo, commits[0], _VAR, var, contents))
    for file in options.state_files:
        inodes.update(_put_state(top, var, file))
    _finish(top, options.timestamp)
    return inodes


def _put_state(top: str, var: str, file: StateFile) -> Iterator[tuple[str, Inode]]:
    """Write a file of ``/var``; yield what it is to be like, and new directories above it."""
    folder = var
    for name in file.path.split("/")[:-1]:
        folder = f"{folder}/{name}"
        if not os.path.isdir(f"{top}/{folder}"):
            os.mkdir(f"{top}/{folder}")
            yield folder, Inode(0, 0, stat.S_IFDIR | 0o700)
    path = f"{var}/{file.path}"
    with open(f"{top}/{path}", "xb") as stream:
        stream.write(file.data)
    yield path, Inode(0, 0, stat.S_IFREG | 0o600)


def _configure(target: Repository, options: SystemOptions) -> None:
    keyfile = target.config.keyfile
    for group, key, value in options.settings:
        keyfile.set_value(group, key, value)
    # Nobody waits for a working directory to be on the disk.
    keyfile.set_value(_CORE, "fsync", "false")
    write_config(target, keyfile)
    target.reload_config()
    for remote in options.remotes:
        add_remote(target, remote.name, remote.url, remote.settings)
        target.reload_config()


def _deploy_all(
    top: str, commits: Sequence[Checksum], options: SystemOptions, progress: ProgressSink
) -> Iterator[tuple[Checksum, str]]:
    """Deploy commits; yield each with the path of its deployment."""
    remote = options.remotes[0].name if options.remotes else None
    refspec = options.ref if remote is None else f"{remote}:{options.ref}"
    kargs = KernelArguments()
    for word in options.kargs:
        kargs = kargs.append(word)
    kargs.check()
    # The same in every build, and another one for another history.
    nonce = commits[-1][-4:]
    how = SysrootOptions(mutable_deployments=True, skip_sync=True, nonce=nonce)
    with Sysroot(top, options=how) as sysroot, sysroot_lock(sysroot):
        make_stateroot(sysroot, options.stateroot)
        loaded = load_sysroot(sysroot)
        for ref, commit in options.preloaded:
            write_ref(sysroot.repo, None, ref, commit)
        for commit in commits:
            write_ref(sysroot.repo, remote, options.ref, commit)
            origin = Origin.following(refspec)
            wish = DeployWish(options.stateroot, commit, origin, kargs)
            new = deploy(sysroot, loaded, wish, None, progress=progress)
            order = with_new_deployment(loaded.all, new, None, Retain(all=True))
            loaded = write_deployments(sysroot, loaded, order, prune=False)
            yield commit, new.path
        clean_up(sysroot, loaded, prune_repo=False)


def _below(
    repo: Repository, commit: Checksum, path: str, place: str, contents: Mapping[str, Inode]
) -> Iterator[tuple[str, Inode]]:
    """Yield what a part of a commit is like where it was laid out; nothing if it has none."""
    try:
        found = resolve_path(repo, commit_root(repo, commit), path)
    except PathNotFound:
        return
    if not isinstance(found, Directory):
        return
    yield place, _dir_inode(repo, found)
    skipped = len(path.rstrip("/"))
    for entry in walk(repo, found):
        below = place + entry.path[skipped:]
        if isinstance(entry, Directory):
            yield below, _dir_inode(repo, entry)
        else:
            yield below, contents[entry.checksum]


def _dir_inode(repo: Repository, directory: Directory) -> Inode:
    meta = load_dirmeta(repo, directory.meta)
    return Inode(meta.uid, meta.gid, meta.mode, meta.xattrs)


def _finish(top: str, timestamp: int) -> None:
    """Leave a repository in its own mode, nothing temporary, and no time of the build."""
    repo = f"{top}/{paths.REPO}"
    with create_repository(repo, RepoMode.BARE_USER_ONLY) as target:
        keyfile = target.config.keyfile
        keyfile.set_value(_CORE, "mode", RepoMode.BARE.value)
        keyfile.remove_key(_CORE, "fsync")
        write_config(target, keyfile)
    for name in (_TEMPORARY, ".lock"):
        remove_tree(f"{repo}/{name}")
    os.mkdir(f"{repo}/{_TEMPORARY}", 0o755)
    for folder, names, files in os.walk(top, topdown=False):
        for name in (*names, *files):
            _set_time(os.path.join(folder, name), timestamp)
    _set_time(top, timestamp)


def _set_time(path: str, timestamp: int) -> None:
    found = os.lstat(path)
    # What was committed has the first moment of all: so it has everywhere.
    if found.st_mtime_ns != 0:
        os.utime(path, (timestamp, timestamp), follow_symlinks=False)
