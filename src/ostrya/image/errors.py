# SPDX-License-Identifier: Apache-2.0
"""What stops a disk from being built.

::

    ImageError
    ├── LayoutError     partitions do not fit, or files do not fit into one
    ├── BoardError      there is no such board, or its description cannot be used
    ├── RecipeError     a recipe says what cannot be, or not in a way that is understood
    ├── SourceError     a root file system is not one, or cannot be taken in
    │   └── ConversionError    it cannot become a release, for one reason or many
    ├── OutputError     an output is not known, or cannot be made
    ├── DiskError       an image cannot be read, or there is no such thing in it
    └── FlashError      a device is not one to be written to, or has not what was written
"""

from __future__ import annotations

from ostrya.errors import ImageError


class LayoutError(ImageError):
    """Something does not fit where it has to be."""


class BoardError(ImageError):
    """There is no such board, or its description cannot be used."""


class RecipeError(ImageError):
    """A recipe says what cannot be, or not in a way that is understood.

    Attributes:
        problems: All that is wrong with it, each with file and line.
    """

    def __init__(self, problems: tuple[str, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class SourceError(ImageError):
    """A root file system cannot become a release."""


class ConversionError(SourceError):
    """A root file system cannot become a release.

    Attributes:
        problems: All that is in the way.
    """

    def __init__(self, problems: tuple[str, ...], hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class OutputError(ImageError):
    """An output is not known, or cannot be made of what was built."""


class DiskError(ImageError):
    """An image cannot be read, or there is no such thing in it."""


class FlashError(ImageError):
    """A device is not one to be written to, or does not hold what was written."""
