# SPDX-License-Identifier: Apache-2.0
"""A recipe becomes an image, step by step; what has not changed is not made again.

::

    source      taken in and converted             kept by the digest of the source
    customize   what the recipe changes in it      done always: it takes as long as it changes
    ramdisk     built                              kept by the answers that it asked the tree for
    commit      in the recipe's repository, or the cache's
    disk        deployed, in file systems          contents are kept as files, and linked
    outputs     what is wanted of it

With a cache and without one the same steps are done in the same way, so the same bytes come out.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya.boot.initramfs.build import InitramfsOptions
from ostrya.boot.initramfs.compress import Compression
from ostrya.boot.kernel import MODULES
from ostrya.image.base_tree import BaseTree, BaseWish, base_key, find_base, make_base
from ostrya.image.builder import DiskOptions, DiskParts, build_disk
from ostrya.image.cache import Cache, code_digest
from ostrya.image.commit_step import commit_tree
from ostrya.image.customize.customize import customize
from ostrya.image.customize.ota import state_files
from ostrya.image.customize.splash import KARGS as SPLASH_KARGS
from ostrya.image.customize.updates import remotes_of, settings_of
from ostrya.image.decisions import Decision
from ostrya.image.outputs.artifacts import Artifacts, Output, write_outputs
from ostrya.image.ramdisk import is_known, ramdisk_for
from ostrya.image.recipe_options import converting_of, disk_extras, image_name
from ostrya.image.release import publish_release
from ostrya.image.settling import accounts_before, settle
from ostrya.image.tree import TreeEditor
from ostrya.image.wished_source import wished_source
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import tree_from_commit, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.image.board import Board
    from ostrya.image.disk_layout import DiskPlan
    from ostrya.image.recipe.values import Recipe
    from ostrya.repo.repository import Repository

_DEFAULT_OUTPUTS = ("raw",)
# What is only on its way to a disk.
_QUICK_LEVEL = 1


class Step(NamedTuple):
    """A step of a build.

    Attributes:
        name: What it is called.
        what: What it does.
        cached: Whether it is done already; None if that shows only once others are done.
    """

    name: str
    what: str
    cached: bool | None


class Built(NamedTuple):
    """What a build made.

    Attributes:
        commit: The release.
        is_new: Whether there is something in it that the one before has not.
        kver: The version of its kernel.
        report: What was done to the root file system.
        plan: Where partitions lie.
        outputs: The files that were written.
        reused: Names of steps that were done already.
    """

    commit: Checksum
    is_new: bool
    kver: str
    report: tuple[Decision, ...]
    plan: DiskPlan
    outputs: tuple[Output, ...]
    reused: tuple[str, ...]

    @property
    def decisions(self) -> tuple[str, ...]:
        """What was done, a sentence each."""
        return tuple(decision.sentence for decision in self.report)


class Pipeline:
    """The steps from a recipe to its image."""

    def __init__(
        self,
        recipe: Recipe,
        board: Board,
        cache: Cache,
        *,
        timestamp: int | None = None,
        tell: Callable[[str], None] = lambda _line: None,
        progress: ProgressSink = NULL_PROGRESS,
    ) -> None:
        """Get ready; nothing is done yet.

        Args:
            recipe: What is to be made.
            board: What for.
            cache: Where earlier builds left what they made.
            timestamp: Of the image, in seconds since 1970 UTC, unless the recipe says it; None for
                that of the newest in the source.
            tell: Told what is done, a line each.
            progress: Told about files.
        """
        # Who reads it further on knows the board by its name alone.
        self._recipe = recipe = recipe._replace(board=board.name)
        self._board = board
        self._cache = cache
        self._timestamp = timestamp if recipe.timestamp is None else recipe.timestamp
        self._tell = tell
        self._progress = progress
        self._code = code_digest()
        source = wished_source(recipe.source, board)
        converting = converting_of(recipe, board)
        self._base_wish = BaseWish(source, converting, self._code)
        self._reused: list[str] = []

    def plan(self) -> tuple[Step, ...]:
        """Say which steps there are, and which of them are done already.

        Raises:
            ImageError: A change of the recipe cannot be made, as far as can be said by now.
            OSError: The source cannot be looked at.
        """
        with self._cache.shared(), self._cache.repository(self._level) as repo:
            key = base_key(self._cache, self._base_wish)
            base = find_base(self._cache, repo, key)
            ramdisk: bool | None = None
            changes = "what the recipe changes"
            if base is not None:
                # Nothing of it stays: the transaction is given up.
                with Transaction(repo) as tx:
                    editor = TreeEditor(tx, tree_from_commit(repo, base.commit))
                    said = customize(editor, base.kver, self._recipe)
                    changes = f"{len(said)} changes" if said else "nothing to change"
                    options = self._ramdisk_options(base.kver)
                    ramdisk = is_known(editor, options, self._cache, self._code)
        return (
            Step("source", f"take in and convert {self._where}", base is not None),
            Step("customize", changes, cached=False),
            Step("ramdisk", "build the ramdisk", ramdisk),
            Step("commit", f"commit {self._recipe.ref}", None),
            Step("disk", f"deploy, and make the disk of {self._board.name}", cached=False),
            Step("outputs", ", ".join(self._wanted), cached=False),
        )

    def run(self, folder: str, *, disk: str | None = None) -> Built:
        """Do all of it.

        Args:
            folder: Where outputs are written.
            disk: Path of the disk alone, instead of outputs.

        Raises:
            ImageError: It cannot be built as it is wanted.
            OstryaError: Something cannot be read; a program failed.
            OSError: Something cannot be written. Of all these, no output is left.
        """
        cache, recipe = self._cache, self._recipe
        with ExitStack() as stack:
            stack.enter_context(cache.shared())
            kept = stack.enter_context(cache.repository(self._level))
            repo = kept
            if recipe.repository.path:
                repo = stack.enter_context(
                    create_repository(
                        recipe.repository.path,
                        RepoMode.ARCHIVE,
                        collection_id=recipe.repository.collection_id or None,
                    )
                )
            base = self._base(kept)
            timestamp = base.timestamp if self._timestamp is None else self._timestamp
            with Transaction(kept) as tx:
                editor = TreeEditor(tx, tree_from_commit(kept, base.commit))
                said = tuple(map(_changed, customize(editor, base.kver, recipe)))
                self._begin("customize", f"{len(said)} changes")
                self._ramdisk(editor, base.kver)
                said += settle(editor, accounts_before(repo, kept, recipe.ref), recipe.convert)
                for one in said:
                    self._tell(f"  {one.sentence}")
                root = write_tree(tx, editor.root)
                tx.commit()
            committed = commit_tree(repo, kept, root, recipe, base, timestamp)
            word = "committed" if committed.is_new else "nothing new since"
            self._begin("commit", f"{word} {committed.checksum}")
            report = (*base.report, *said)
            sentences = tuple(one.sentence for one in report)
            made = _Made(repo, committed.checksum, base.kver, timestamp, sentences)
            plan, outputs = self._disk(made, folder, disk)
            if committed.is_new and repo is not kept:
                # Last: devices get nothing of a build that failed.
                publish_release(repo, recipe.ref, committed.checksum)
        if cache.keeps:
            cache.clean_up()
        return Built(
            committed.checksum,
            committed.is_new,
            base.kver,
            report,
            plan,
            tuple(outputs),
            tuple(self._reused),
        )

    # -- steps

    @property
    def _level(self) -> int:
        # Contents that devices pull are linked from the cache, and are worth some work.
        return 6 if self._recipe.repository.path else _QUICK_LEVEL

    @property
    def _where(self) -> str:
        source = self._recipe.source
        return " ".join(word for word in (source.path, source.suite, source.ref) if word)

    @property
    def _wanted(self) -> tuple[str, ...]:
        return self._recipe.outputs or _DEFAULT_OUTPUTS

    def _begin(self, name: str, what: str, *, cached: bool = False) -> None:
        if cached:
            self._reused.append(name)
        self._tell(f"{name}: {what}{' (cached)' if cached else ''}")

    def _base(self, repo: Repository) -> BaseTree:
        key = base_key(self._cache, self._base_wish)
        base = find_base(self._cache, repo, key)
        self._begin("source", self._where, cached=base is not None)
        if base is None:
            base = make_base(self._cache, repo, key, self._base_wish, progress=self._progress)
        for one in base.report:
            self._tell(f"  {one.sentence}")
        return base

    def _ramdisk_options(self, kver: str) -> InitramfsOptions:
        modules = (*self._board.ramdisk_modules, *self._recipe.kernel_modules)
        return InitramfsOptions(kver, modules, Compression(self._recipe.convert.ramdisk))

    def _ramdisk(self, editor: TreeEditor, kver: str) -> None:
        data, was_there = ramdisk_for(editor, self._ramdisk_options(kver), self._cache, self._code)
        editor.write(f"{MODULES}/{kver}/initramfs.img", data)
        self._begin("ramdisk", f"{len(data)} bytes for kernel {kver}", cached=was_there)

    def _disk(
        self, made: _Made, folder: str, disk: str | None
    ) -> tuple[DiskPlan, tuple[Output, ...]]:
        recipe, board = self._recipe, self._board
        splash = SPLASH_KARGS if recipe.splash.image else ()
        options = DiskOptions(
            recipe.ref,
            made.timestamp,
            recipe.stateroot,
            recipe.size_bytes,
            (*recipe.kernel_arguments, *splash),
            remotes_of(recipe),
            settings_of(recipe),
            state_files=state_files(recipe.ota),
        )
        self._begin("disk", f"{board.name}")
        outputs: list[Output] = []

        def use(parts: DiskParts) -> None:
            if disk is not None:
                return
            os.makedirs(folder, exist_ok=True)
            artifacts = Artifacts(
                parts.disk,
                parts.plan,
                parts.roles,
                parts.root_image,
                parts.sysroot,
                parts.inodes,
                parts.boot_files,
                made.repo,
                made.commit,
                recipe.ref,
                board,
                made.kver,
                recipe.stateroot,
                made.timestamp,
                parts.seed,
                made.decisions,
                parts.scratch,
            )
            self._begin("outputs", ", ".join(self._wanted))
            outputs.extend(
                write_outputs(
                    artifacts,
                    self._wanted,
                    folder,
                    image_name(recipe, board),
                    tell=lambda line: self._tell(f"  {line}"),
                    progress=self._progress,
                )
            )

        with _disk_path(self._cache.work, disk) as path:

            def tell(line: str) -> None:
                # Of the disk that outputs are made of nobody sees anything.
                if disk is not None or path not in line:
                    self._tell(f"  {line}")

            found = build_disk(
                made.repo,
                [made.commit],
                board,
                path,
                options,
                extras=disk_extras(recipe),
                store=self._cache.objects,
                scratch=self._cache.work,
                firmware=recipe.firmware,
                use=use,
                tell=tell,
                progress=self._progress,
            )
        return found.plan, tuple(outputs)


def _changed(sentence: str) -> Decision:
    return Decision("recipe.changed", "", sentence)


@contextmanager
def _disk_path(work: str, disk: str | None) -> Iterator[str]:
    """Yield where the disk is written: what outputs are made of lasts as long as the build."""
    if disk is not None:
        yield disk
        return
    folder = tempfile.mkdtemp(prefix="disk-", dir=work)
    try:
        yield f"{folder}/disk.img"
    finally:
        remove_tree(folder)


class _Made(NamedTuple):
    """The release, and where it is."""

    repo: Repository
    commit: Checksum
    kver: str
    timestamp: int
    decisions: tuple[str, ...]
