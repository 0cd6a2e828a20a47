# SPDX-License-Identifier: Apache-2.0
"""A root file system becomes a release: a commit that boots, for devices to pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.initramfs.build import InitramfsOptions, build_initramfs
from ostrya.boot.initramfs.compress import Compression
from ostrya.formats.commit import KEY_COLLECTION_BINDING, KEY_REF_BINDING, KEY_VERSION
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.image.convert import ConvertOptions, convert
from ostrya.image.decisions import Decision, left_out
from ostrya.image.owners import read_accounts
from ostrya.image.sources import find_source, take_in_source
from ostrya.image.tree import TreeEditor
from ostrya.image.tree_view import EditedTreeFiles
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import resolve_rev
from ostrya.repo.transaction import Transaction
from ostrya.tree.bootable import with_bootable_keys
from ostrya.tree.commit import TreeRoot, tree_from_commit, write_commit, write_tree

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.source_kinds import AnySource
    from ostrya.image.sources import Source
    from ostrya.repo.repository import Repository

# Of a container image, what it was and what it says of itself; of a commit, which it was.
KEY_ORIGIN, KEY_LABELS = "ostrya.source", "ostrya.labels"


class ReleaseOptions(NamedTuple):
    """What a release is to be.

    Attributes:
        ref: What devices follow.
        timestamp: Of the commit, in seconds since 1970 UTC; None for that of the newest in the
            root file system.
        version: What it is called; empty for nothing.
        fstab: Lines for file systems that the board has beside the root.
        modules: Kernel modules that its ramdisk loads in any case.
        busybox: Path of the busybox for the ramdisk, on this machine; None for the usual one.
        convert: Policies for what becomes of the root file system.
        compression: Of its ramdisk; without any, deltas between releases are smaller.
    """

    ref: str
    timestamp: int | None
    version: str = ""
    fstab: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    busybox: str | None = None
    convert: ConvertOptions = ConvertOptions()
    compression: Compression = Compression.GZIP


class Release(NamedTuple):
    """A release that was committed.

    Attributes:
        checksum: The commit.
        kver: The version of its kernel.
        decisions: What was done to the root file system, a sentence each.
        is_new: Whether there is something in it that the one before has not.
        report: The same decisions, for programs.
        timestamp: Of the release, in seconds since 1970 UTC.
    """

    checksum: Checksum
    kver: str
    decisions: tuple[str, ...]
    is_new: bool
    report: tuple[Decision, ...] = ()
    timestamp: int = 0


def commit_release(
    repo: Repository,
    rootfs: str | AnySource,
    options: ReleaseOptions,
    *,
    publish: bool = True,
    progress: ProgressSink = NULL_PROGRESS,
) -> Release:
    """Commit a root file system as a release; the same as the last one stays that one.

    Args:
        repo: Where; an archive, if devices are to pull from it.
        rootfs: What it is made of, or how somebody writes that; see `source_kinds`.
        options: What it is to be.
        publish: Whether the ref leads to it at once; else `publish_release` lets it.
        progress: Told about files.

    Raises:
        ImageError: It is no root file system that can be a release.
        BootloaderError: Its ramdisk cannot be built.
        OstryaError: It cannot be read or committed.
        OSError: Likewise. Of all these, the repository keeps no trace but objects without a ref.
    """
    with Transaction(repo) as tx:
        wanted_source = find_source(rootfs) if isinstance(rootfs, str) else rootfs
        source = take_in_source(tx, wanted_source, progress=progress)

        def build_ramdisk(editor: TreeEditor, kver: str) -> bytes:
            wanted = InitramfsOptions(kver, options.modules, options.compression, options.busybox)
            return build_initramfs(EditedTreeFiles(editor), wanted).data

        parent = resolve_rev(repo, options.ref, allow_noent=True)
        before = None
        if parent is not None:
            before = read_accounts(TreeEditor(tx, tree_from_commit(repo, parent)))
        policies = options.convert._replace(
            fstab=(*options.convert.fstab, *options.fstab),
            build_ramdisk=build_ramdisk,
            before=before,
        )
        converted = convert(source.editor, policies)
        report = (*map(left_out, source.left_out), *converted.report)
        decisions = tuple(decision.sentence for decision in report)
        root = write_tree(tx, source.editor.root)
        if parent is not None and _is_same(repo, parent, root, options):
            known = load_commit(repo, parent).timestamp
            moment = known if options.timestamp is None else options.timestamp
            return Release(
                parent, converted.kver, decisions, is_new=False, report=report, timestamp=moment
            )
        moment = source.newest if options.timestamp is None else options.timestamp
        checksum = write_commit(
            tx,
            root,
            timestamp=moment,
            parent=parent,
            metadata=_metadata(repo, options, converted.kver, source),
        )
        if publish:
            tx.set_ref(None, options.ref, checksum)
        tx.commit()
    return Release(
        checksum, converted.kver, decisions, is_new=True, report=report, timestamp=moment
    )


def publish_release(repo: Repository, ref: str, checksum: Checksum) -> None:
    """Let a ref lead to a release: from now on devices get it.

    Raises:
        OSError: It cannot be written.
    """
    with Transaction(repo) as tx:
        tx.set_ref(None, ref, checksum)
        tx.commit()


def _is_same(repo: Repository, parent: Checksum, root: TreeRoot, options: ReleaseOptions) -> bool:
    commit = load_commit(repo, parent)
    version = commit.metadata.lookup(KEY_VERSION, "s") or ""
    return (
        TreeRoot(commit.root_contents, commit.root_metadata) == root and version == options.version
    )


def _metadata(repo: Repository, options: ReleaseOptions, kver: str, source: Source) -> VarDict:
    entries = [(KEY_VERSION, Variant("s", options.version))] if options.version else []
    if source.origin:
        entries.append((KEY_ORIGIN, Variant("s", source.origin)))
    if source.labels:
        entries.append((KEY_LABELS, Variant("a{ss}", source.labels)))
    metadata = with_bootable_keys(VarDict(entries), kver)
    entries = [*metadata, (KEY_REF_BINDING, Variant("as", (options.ref,)))]
    if repo.config.collection_id is not None:
        entries.append((KEY_COLLECTION_BINDING, Variant("s", repo.config.collection_id)))
    return VarDict(entries)
