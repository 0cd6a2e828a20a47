# SPDX-License-Identifier: Apache-2.0
"""What cannot be done is gathered, so that somebody is told of all of it at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya.image.errors import ConversionError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Refusals:
    """Errors of steps that do not need one another."""

    def __init__(self) -> None:
        self._found: list[SourceError] = []

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Keep the error of what is done within this, and go on behind it."""
        try:
            yield
        except SourceError as exc:
            self._found.append(exc)

    def raise_any(self) -> None:
        """Tell of them, if there are any.

        Raises:
            SourceError: The only one, or all.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            hints = dict.fromkeys(one.hint for one in self._found if one.hint)
            raise ConversionError(tuple(one.message for one in self._found), hint="; ".join(hints))
