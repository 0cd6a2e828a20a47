# SPDX-License-Identifier: Apache-2.0
"""How a verification that reads no files asks for them, and says what to keep.

A verification is a generator. It yields what it `Wanted`, and is sent the bytes, or None where
there is no such file; it yields what it `Accepted`, to be kept before anything else is done.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ostrya.uptane.trusted_set import Trusted

T = TypeVar("T")


class Repository(Enum):
    """The two that have to agree."""

    DIRECTOR = "director"
    IMAGE = "image"

    @property
    def shown(self) -> str:
        """What it is called in a sentence."""
        return "Director" if self is Repository.DIRECTOR else "Image repository"


class Wanted(NamedTuple):
    """A file that is needed.

    Attributes:
        repository: Where it is.
        file: Its name there.
        max_bytes: How much of it may be read.
        may_be_absent: Whether it is all right if there is none.
    """

    repository: Repository
    file: str
    max_bytes: int
    may_be_absent: bool = False


class Accepted(NamedTuple):
    """What is trusted from now on.

    Attributes:
        repository: Of which.
        trusted: To be kept as a whole: files that it has not are to be deleted.
    """

    repository: Repository
    trusted: Trusted


Step: TypeAlias = "Wanted | Accepted"


def run_steps(
    steps: Generator[Step, bytes | None, T],
    fetch: Callable[[Wanted], bytes | None],
    keep: Callable[[Accepted], None],
) -> T:
    """Run a verification to its end.

    Args:
        steps: The verification.
        fetch: Returns a file, None only if it is sure that there is none: whoever cannot tell
            raises, so that keeping a server silent hides no new root.
        keep: Makes what is trusted survive a power cut.

    Raises:
        UptaneError: Something is refused.
    """
    answer: bytes | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        answer = None
        if isinstance(step, Wanted):
            answer = fetch(step)
        else:
            keep(step)
