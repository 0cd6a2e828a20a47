# SPDX-License-Identifier: Apache-2.0
"""What a recipe says, as the steps of a build want to know it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import UUID

from ostrya.image.convert import ConvertOptions
from ostrya.image.extras import DataPartition, DiskExtras
from ostrya.image.policies import LinkPolicy, LinkRule, ResolvPolicy, VarPolicy, VarRule
from ostrya.image.steps.device_trees import DeviceTreeWishes

if TYPE_CHECKING:
    from ostrya.image.board import Board
    from ostrya.image.recipe.values import PartitionWant, Recipe

_PROVISION_FILE = "ostrya-provision.toml"


def converting_of(recipe: Recipe, board: Board) -> ConvertOptions:
    """Return how a recipe's source is converted, before anything in it is changed."""
    wish = recipe.convert
    return ConvertOptions(
        board.fstab,
        kernel=wish.kernel,
        var=tuple(VarRule(path, VarPolicy(str(policy))) for path, policy in wish.var),
        links=tuple(LinkRule(path, LinkPolicy(str(policy))) for path, policy in wish.links),
        resolv=ResolvPolicy(wish.resolv),
        boot_files=wish.boot_files,
        device_trees=DeviceTreeWishes(recipe.device_tree.patterns),
        # Once the recipe's own files are there.
        label=False,
    )


def image_name(recipe: Recipe, board: Board) -> str:
    """Return what files of an image begin with."""
    words = (recipe.name, recipe.version, board.name)
    return "-".join(word.replace("/", "_") for word in words if word)


def disk_extras(recipe: Recipe) -> DiskExtras:
    """Return what a recipe's disk has beside the board's partitions."""
    provisioning = recipe.provisioning
    boot_files = [(os.path.basename(path), path) for path in provisioning.boot_files]
    if provisioning.defaults:
        boot_files.append((_PROVISION_FILE, provisioning.defaults))
    return DiskExtras(tuple(map(_data_partition, recipe.partitions)), tuple(boot_files))


def _data_partition(one: PartitionWant) -> DataPartition:
    kind = UUID(one.type) if one.type else None
    return DataPartition(
        one.name, one.size_bytes, one.filesystem, one.label, one.contents, kind, one.after_root
    )
