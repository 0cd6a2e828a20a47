# SPDX-License-Identifier: Apache-2.0
"""What is decided about a root file system on its way to a release, and what is in the way.

Each decision has a code for programs, a path, and a sentence for people. What is in the way is
gathered too, so that all of it is told at once.
"""

from __future__ import annotations

from ostrya.image.errors import ConversionError
from ostrya.named_tuple import NamedTuple


class Decision(NamedTuple):
    """One thing that was done, or that cannot be done.

    Attributes:
        code: What kind of thing, as ``state.dropped``; see docs/explanation/conversion.md.
        path: What it is about, absolute; empty for the tree as a whole.
        sentence: The whole of it.
    """

    code: str
    path: str
    sentence: str


class Report:
    """Decisions and conflicts, in the order in which they came up.

    Attributes:
        decisions: What was done.
        conflicts: What cannot be done.
        hints: What to do about it.
    """

    __slots__ = ("conflicts", "decisions", "hints")

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.conflicts: list[Decision] = []
        self.hints: list[str] = []

    def tell(self, code: str, path: str, sentence: str) -> None:
        """Note what was done."""
        self.decisions.append(Decision(code, _absolute(path), sentence))

    def conflict(self, code: str, path: str, sentence: str, hint: str = "") -> None:
        """Note what cannot be done."""
        self.conflicts.append(Decision(code, _absolute(path), sentence))
        if hint and hint not in self.hints:
            self.hints.append(hint)

    def check(self) -> None:
        """Stop if anything is in the way.

        Raises:
            ConversionError: Something is, all of which it tells.
        """
        if self.conflicts:
            raise ConversionError(
                tuple(conflict.sentence for conflict in self.conflicts), "; ".join(self.hints)
            )


def left_out(path: str) -> Decision:
    """Say that a path of a source is not taken in."""
    return Decision("source.left-out", path, f"left out {path}")


def listed(names: list[str], most: int = 5) -> str:
    """Return names as a sentence has them."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _absolute(path: str) -> str:
    return f"/{path}" if path and not path.startswith("/") else path
