# SPDX-License-Identifier: Apache-2.0
"""Gather what a delta has to make, and which old files the new ones may resemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.delta.generate_worker import make_sketch_worker
from ostrya.delta.plan import NewObject
from ostrya.delta.similarity import FileNames, find_partners_by_content, find_partners_by_name
from ostrya.delta.trees import TreeContents, read_tree
from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.reader import load_file, load_metadata
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from ostrya.delta.plan import Workshop
    from ostrya.formats.delta_name import DeltaName
    from ostrya.repo.repository import Repository

# Smaller files are not worth it, larger ones are not read for it.
_LEAST_SKETCHED = 1024
_MOST_SKETCHED = 64 << 20
_SKETCH_BATCH = 32
# So many bytes without a partner are worth a search among all old files.
_MUCH_ALONE = 1 << 20

Sketches = dict[Checksum, tuple[int, ...]]
Partners = dict[Checksum, tuple[Checksum, ...]]


class Gathered(NamedTuple):
    """What a delta has to make.

    Attributes:
        objects: All of it, but for the commit, which the superblock carries.
        paths: By file, one path of it.
        links: How many of these are symbolic links.
        loose_size: What the files take as they are stored here, in bytes.
    """

    objects: list[NewObject]
    paths: dict[Checksum, str]
    links: int
    loose_size: int


def gather_objects(
    repo: Repository, name: DeltaName, workshop: Workshop, *, same_path_only: bool = False
) -> Gathered:
    """Compare two commits; new files with old ones of other paths only if that is allowed.

    Raises:
        ObjectNotFound: Something of one of them is missing.
    """
    old, new = read_tree(repo, name.origin), read_tree(repo, name.to)
    files = [file for file in new.names() if file.checksum not in old.files]
    sizes: dict[Checksum, int] = {}
    stored: dict[Checksum, int] = {}
    links = 0
    for file in files:
        with load_file(repo, file.checksum) as opened:
            sizes[file.checksum] = opened.size
            links += opened.header.is_symlink
            stored[file.checksum] = opened.stored_size
    regular = [file for file in files if sizes[file.checksum]]
    if same_path_only:
        partners = find_partners_by_name(regular, old.names(), same_path_only=True)
    else:
        partners = _find_partners(repo, regular, sizes, (old, new), workshop)
    objects = [
        NewObject(one, len(load_metadata(repo, one)))
        for one in new.metadata
        if one not in old.metadata
    ]
    objects += [
        NewObject(
            ObjectName(file.checksum, ObjectType.FILE),
            sizes[file.checksum],
            file.paths[0],
            partners.get(file.checksum, ()),
            stored[file.checksum],
        )
        for file in files
    ]
    paths = {file.checksum: file.paths[0] for file in files}
    return Gathered(objects, paths, links, sum(stored.values()))


def _find_partners(
    repo: Repository,
    files: list[FileNames],
    sizes: dict[Checksum, int],
    trees: tuple[TreeContents, TreeContents],
    workshop: Workshop,
) -> Partners:
    old, new = trees
    if not old.files:
        return {}
    partners = find_partners_by_name(files, old.names())
    alone = [
        file.checksum
        for file in files
        if file.checksum not in partners and _is_sketched(sizes[file.checksum])
    ]
    gone = [one for one in old.files if one not in new.files]
    if sum(sizes[one] for one in alone) < _MUCH_ALONE:
        # What has a successor under its own name is hardly the origin of another file as well:
        # to read all of that does not pay for little.
        followed = {likeliest for likeliest, *_ in partners.values()}
        gone = [one for one in gone if one not in followed]
    if alone and gone:
        partners |= _find_by_content(repo, alone, gone, workshop)
    return partners


def _find_by_content(
    repo: Repository, alone: list[Checksum], gone: list[Checksum], workshop: Workshop
) -> Partners:
    sketches: tuple[Sketches, Sketches] = ({}, {})
    wanted = [(str(checksum), True) for checksum in alone]
    wanted += [(str(checksum), False) for checksum in gone if _is_sketched(_size(repo, checksum))]
    batches = (wanted[at : at + _SKETCH_BATCH] for at in range(0, len(wanted), _SKETCH_BATCH))
    worker = make_sketch_worker(repo, workshop.spill)
    for result in map_batches(worker, batches, jobs=workshop.jobs):
        for checksum, is_new, hashes in result:
            sketches[is_new][Checksum(checksum)] = hashes
    return find_partners_by_content(sketches[True], sketches[False])


def _size(repo: Repository, checksum: Checksum) -> int:
    with load_file(repo, checksum) as file:
        return file.size


def _is_sketched(size: int) -> bool:
    return _LEAST_SKETCHED <= size <= _MOST_SKETCHED
