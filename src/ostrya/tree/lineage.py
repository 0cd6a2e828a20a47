# SPDX-License-Identifier: Apache-2.0
"""The directories above a directory, to notice one that holds itself.

A hash cannot hold itself, so only damaged repositories have such directories; but a walk of one
would never end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import ObjectInvalid

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum


class Lineage(NamedTuple):
    """A directory, and those above it.

    Attributes:
        tree: Its dirtree object.
        above: The directory that it is in; None for the root.
    """

    tree: Checksum
    above: Lineage | None = None

    def enter(self, tree: Checksum) -> Lineage:
        """Return the lineage of a directory in this one.

        Raises:
            ObjectInvalid: It holds itself.
        """
        ancestor: Lineage | None = self
        while ancestor is not None:
            if ancestor.tree == tree:
                raise ObjectInvalid(
                    ObjectName(tree, ObjectType.DIR_TREE), "the directory holds itself"
                )
            ancestor = ancestor.above
        return Lineage(tree, self)
