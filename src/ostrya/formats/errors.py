# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with bytes and text: the concrete errors of the formats.

::

    FormatError
    ├── GVariantError        not a normal-form GVariant, or not its text form
    ├── ObjectFormatError    an object whose fields make no sense
    ├── RefNameError         a ref, refspec, remote name or collection id
    ├── KeyFileError         configuration text
    ├── SummaryFormatError   a summary whose fields make no sense
    └── DeltaFormatError     a static delta, or a part of one
"""

from __future__ import annotations

from ostrya.errors import FormatError


def printable(text: str) -> str:
    """Make foreign text fit for an error sentence: what is no character shows as one that says so.

    Names from the file system and from the command line may hold surrogates, for bytes that
    are not UTF-8.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class GVariantError(FormatError):
    """Bytes are not a GVariant of that type in normal form, or text is not one."""


class ObjectFormatError(FormatError):
    """An object is a well-formed variant, but its fields make no sense."""


class RefNameError(FormatError):
    """A ref, refspec, remote name or collection id breaks its grammar."""


class KeyFileError(FormatError):
    """Configuration text cannot be parsed, or lacks what was asked for.

    Attributes:
        reason: ``parse``, ``group-not-found``, ``key-not-found`` or ``invalid-value``.
    """

    def __init__(self, message: str, reason: str = "parse") -> None:
        super().__init__(message)
        self.reason = reason


class SummaryFormatError(FormatError):
    """A summary is a well-formed variant, but its fields make no sense."""


class DeltaFormatError(FormatError):
    """A static delta, one of its parts, or its index is not what it has to be."""
