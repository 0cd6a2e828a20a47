# SPDX-License-Identifier: Apache-2.0
"""Reading refs: names that stand for commits.

A *refspec* is ``ref`` or ``remote:ref``. A *rev* is a refspec, a checksum, the beginning of one,
or any of these with ``^`` for each step towards the parents.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import exists, open_dir
from ostrya._linux.naming import names_repo
from ostrya.errors import FormatError, OstryaError
from ostrya.formats.checksum import Checksum, check_checksum, is_checksum
from ostrya.formats.errors import RefNameError
from ostrya.formats.refs import (
    CollectionRef,
    check_collection_id,
    check_ref_fragment,
    check_ref_name,
    check_remote_name,
    parse_refspec,
)
from ostrya.repo.errors import RefConflict, RefNotFound
from ostrya.repo.reader import iter_commits, load_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.repo.repository import Repository

_MAX_REF_BYTES = 4096
_HEX_DIGITS = frozenset("0123456789abcdef")
_MAX_DEPTH = 64
_OPEN_REF = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


def resolve_rev(
    repo: Repository, rev: str, *, allow_noent: bool = False, search_remotes: bool = True
) -> Checksum | None:
    """Find the commit that a rev stands for.

    Args:
        repo: Where to look; its parents are looked at too.
        rev: A refspec, checksum, short checksum, with any number of ``^``.
        allow_noent: Return None instead of raising for a ref that does not exist.
        search_remotes: Whether a bare name may also be a ref of some remote.

    Raises:
        RefNotFound: There is no such ref.
        RefConflict: A short checksum fits several commits, or a commit has no parent.
        RefNameError: The text is no refspec.
    """
    if is_checksum(rev):
        return Checksum(rev)
    found = _resolve_short(repo, rev)
    if found is not None:
        return found
    tip = rev.rstrip("^")
    if tip == rev:
        remote, ref = parse_refspec(rev)
        return resolve_ref(
            repo, remote, ref, allow_noent=allow_noent, search_remotes=search_remotes
        )
    commit = resolve_rev(repo, tip, allow_noent=allow_noent, search_remotes=search_remotes)
    for _ in range(len(rev) - len(tip)):
        if commit is None:
            return None
        parent = load_commit(repo, commit).parent
        if parent is None:
            raise RefConflict(f"Commit {commit} has no parent")
        commit = parent
    return commit


def require_rev(repo: Repository, rev: str) -> Checksum:
    """Find the commit that a rev stands for, or raise as ``resolve_rev`` does."""
    found = resolve_rev(repo, rev)
    if found is None:
        raise RefNotFound(rev)
    return found


def _resolve_short(repo: Repository, rev: str) -> Checksum | None:
    if not rev or not _HEX_DIGITS.issuperset(rev):
        return None
    found = set(iter_commits(repo, starting_with=rev))
    if len(found) > 1:
        raise RefConflict(f"Refspec {rev} not unique")
    return found.pop() if found else None


@names_repo
def resolve_ref(
    repo: Repository,
    remote: str | None,
    ref: str,
    *,
    allow_noent: bool = False,
    search_remotes: bool = True,
) -> Checksum | None:
    """Find the commit that a ref points to.

    Raises:
        RefNotFound: There is no such ref, unless ``allow_noent`` is set.
        RefNameError: What it holds is not a checksum.
    """
    current: Repository | None = repo
    while current is not None:
        for path in _candidates(current, remote, ref, search_remotes=search_remotes):
            found = _read_ref(current, path, ref)
            if found is not None:
                return found
        current = current.parent
    if allow_noent:
        return None
    raise RefNotFound(ref if remote is None else f"{remote}:{ref}")


def points_to(repo: Repository, remote: str | None, ref: str, checksum: Checksum) -> bool:
    """Say whether a ref of the repository itself points to a commit; not if it cannot be read."""
    check_ref_name(ref)
    folder = "heads" if remote is None else f"remotes/{check_remote_name(remote)}"
    try:
        return _read_ref(repo, f"refs/{folder}/{ref}", ref) == checksum
    except (OstryaError, OSError):
        return False


def _candidates(
    repo: Repository, remote: str | None, ref: str, *, search_remotes: bool
) -> Iterator[str]:
    if remote is not None:
        yield f"refs/remotes/{remote}/{ref}"
        return
    yield f"refs/heads/{ref}"
    if search_remotes:
        # "remote/ref" spells a remote's ref as well.
        yield f"refs/remotes/{ref}"
        for name in _subdirs(repo, "refs/remotes"):
            yield f"refs/remotes/{name}/{ref}"


def _read_ref(repo: Repository, path: str, ref: str) -> Checksum | None:
    try:
        # Aliases are symbolic links, so this one open follows.
        fd = os.open(path, _OPEN_REF, dir_fd=repo.dir_fd)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        data = os.read(fd, _MAX_REF_BYTES)
    except IsADirectoryError as exc:
        raise IsADirectoryError(exc.errno, f"Couldn't open ref '{ref}': Is a directory") from exc
    finally:
        os.close(fd)
    return _parse_ref(path, data)


def _parse_ref(path: str, data: bytes) -> Checksum:
    try:
        return check_checksum(data.decode(errors="replace").strip())
    except FormatError as exc:
        raise RefNameError(f"{path} holds no checksum: {exc.message}") from None


@names_repo
def list_ref_names(
    repo: Repository, prefix: str | None = None, *, cut_prefix: bool = False
) -> list[str]:
    """List the names of refs as ``list_refs`` does, without reading what they point to.

    A ref that is damaged can be seen, and deleted, like any other.

    Raises:
        RefNameError: ``prefix`` is no refspec.
    """
    walk = _walk(repo, prefix, cut_prefix=cut_prefix, include_remotes=True)
    return [name for name, _, _ in walk]


@names_repo
def list_refs(
    repo: Repository,
    prefix: str | None = None,
    *,
    cut_prefix: bool = False,
    include_remotes: bool = True,
) -> dict[str, Checksum]:
    """List refs and the commits they point to; refs of remotes as ``remote:ref``.

    Args:
        repo: Where to look; not its parents.
        prefix: Only the refs below this one, or the ref itself; ``remote:`` for all of a remote.
        cut_prefix: Leave the prefix off the names.
        include_remotes: Whether refs of remotes are listed.

    Raises:
        RefNameError: ``prefix`` is no refspec, or a ref holds no checksum.
    """
    return {
        name: _load_listed(repo, path, name)
        for name, path, _ in _walk(
            repo, prefix, cut_prefix=cut_prefix, include_remotes=include_remotes
        )
    }


@names_repo
def list_aliases(
    repo: Repository, prefix: str | None = None, *, cut_prefix: bool = False
) -> dict[str, str]:
    """List refs that are aliases, and the refs they stand for."""
    aliases = {}
    for name, path, is_link in _walk(repo, prefix, cut_prefix=cut_prefix, include_remotes=True):
        if is_link:
            target = os.readlink(path, dir_fd=repo.dir_fd)
            while target.startswith("../"):
                target = target[3:]
            aliases[name] = target
    return aliases


@names_repo
def list_collection_refs(
    repo: Repository,
    collection_id: str | None = None,
    *,
    include_remotes: bool = True,
    include_mirrors: bool = True,
) -> dict[CollectionRef, Checksum]:
    """List refs that belong to collections: our own, mirrored ones, and those of remotes.

    Raises:
        RefNameError: ``collection_id`` is not valid, or a ref holds no checksum.
    """
    walk = _walk_collections(
        repo, collection_id, include_remotes=include_remotes, include_mirrors=include_mirrors
    )
    return {ref: _load_listed(repo, path, ref.ref) for ref, path in walk}


@names_repo
def list_collection_ref_names(
    repo: Repository, collection_id: str | None = None
) -> list[CollectionRef]:
    """List what ``list_collection_refs`` does, without reading what the refs point to."""
    walk = _walk_collections(repo, collection_id, include_remotes=True, include_mirrors=True)
    # Our own collection may be mirrored from elsewhere too.
    return list(dict.fromkeys(ref for ref, _ in walk))


def _walk_collections(
    repo: Repository, collection_id: str | None, *, include_remotes: bool, include_mirrors: bool
) -> Iterator[tuple[CollectionRef, str]]:
    """Yield (ref, path in the repository)."""
    if collection_id is not None:
        check_collection_id(collection_id)
    for owner, base in _collection_dirs(
        repo, include_remotes=include_remotes, include_mirrors=include_mirrors
    ):
        if collection_id in (None, owner):
            for name, path, _ in _walk_dir(repo, base, ""):
                yield CollectionRef(owner, name), path


def _collection_dirs(
    repo: Repository, *, include_remotes: bool, include_mirrors: bool
) -> Iterator[tuple[str, str]]:
    """Yield (collection id, directory of refs)."""
    if repo.config.collection_id is not None:
        yield repo.config.collection_id, "refs/heads"
    if include_mirrors:
        for name in _subdirs(repo, "refs/mirrors"):
            yield name, f"refs/mirrors/{name}"
    if include_remotes:
        from ostrya.repo.remote_files import read_remotes, remote_group

        remotes = read_remotes(repo)
        for name in _subdirs(repo, "refs/remotes"):
            found, group = remotes.get(name), remote_group(name)
            if found is not None and found.keyfile.has_key(group, "collection-id"):
                owner = found.keyfile.get_value(group, "collection-id")
                if owner:
                    yield owner, f"refs/remotes/{name}"


def _load_listed(repo: Repository, path: str, name: str) -> Checksum:
    found = _read_ref(repo, path, name)
    if found is None:
        raise RefNotFound(name)
    return found


def _walk(
    repo: Repository, prefix: str | None, *, cut_prefix: bool, include_remotes: bool
) -> Iterator[tuple[str, str, bool]]:
    """Yield (name as listed, path in the repository, whether it is an alias)."""
    if prefix is not None:
        yield from _walk_prefix(
            repo, prefix, cut_prefix=cut_prefix, include_remotes=include_remotes
        )
        return
    _require_dir(repo, "refs/heads")
    yield from _walk_dir(repo, "refs/heads", "")
    if include_remotes:
        _require_dir(repo, "refs/remotes")
        for remote in _subdirs(repo, "refs/remotes"):
            yield from _walk_dir(repo, f"refs/remotes/{remote}", f"{remote}:")


def _require_dir(repo: Repository, path: str) -> None:
    """Refuse to take a directory of refs that is gone for one without refs."""
    if not exists(path, dir_fd=repo.dir_fd):
        raise RefConflict(
            f"Listing refs: opendir({path}): No such file or directory",
            hint=f"make it with: mkdir {repo.path}/{path}",
        )


def _walk_prefix(
    repo: Repository, prefix: str, *, cut_prefix: bool, include_remotes: bool
) -> Iterator[tuple[str, str, bool]]:
    remote, ref = _parse_prefix(prefix)
    base = f"refs/remotes/{remote}" if remote is not None and include_remotes else "refs/heads"
    label = f"{remote}:" if remote is not None and include_remotes else ""
    path = f"{base}/{ref}" if ref != "." else base
    try:
        found = os.stat(path, dir_fd=repo.dir_fd)
    except (FileNotFoundError, NotADirectoryError):
        return
    if (found.st_mode & 0o170000) != 0o040000:
        is_link = os.path.islink(f"/proc/self/fd/{repo.dir_fd}/{path}")
        yield label + ref, path, is_link
        return
    shown = label if cut_prefix or ref == "." else f"{label}{ref}/"
    yield from _walk_dir(repo, path, shown)


def _is_valid(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except RefNameError:
        return False
    return True


def _parse_prefix(prefix: str) -> tuple[str | None, str]:
    for ending in (":", ":."):
        remote = prefix.removesuffix(ending)
        if prefix.endswith(ending) and _is_valid(check_remote_name, remote):
            return remote, "."
    return parse_refspec(prefix)


def _walk_dir(
    repo: Repository, base: str, shown: str, depth: int = 0
) -> Iterator[tuple[str, str, bool]]:
    if depth > _MAX_DEPTH:
        raise RefConflict(f"refs nest deeper than {_MAX_DEPTH} levels at {base}")
    try:
        fd = open_dir(base, dir_fd=repo.dir_fd, follow=True)
    except FileNotFoundError:
        return
    try:
        with os.scandir(fd) as scan:
            # Other tools leave files of their own about; those have names no ref can have.
            entries = sorted(
                (entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
                for entry in scan
                if _is_valid(check_ref_fragment, entry.name)
            )
    finally:
        os.close(fd)
    for name, is_dir, is_link in entries:
        path = f"{base}/{name}"
        if is_dir:
            yield from _walk_dir(repo, path, f"{shown}{name}/", depth + 1)
        else:
            yield shown + name, path, is_link


def _subdirs(repo: Repository, base: str) -> list[str]:
    try:
        fd = open_dir(base, dir_fd=repo.dir_fd, follow=True)
    except FileNotFoundError:
        return []
    try:
        with os.scandir(fd) as scan:
            return sorted(entry.name for entry in scan if entry.is_dir(follow_symlinks=False))
    finally:
        os.close(fd)
