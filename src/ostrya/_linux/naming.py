# SPDX-License-Identifier: Apache-2.0
"""What could not be done, by a path that the user knows.

Files are opened below directory descriptors, so what the system refuses has a name that is only
a part of a path, a number, or none. Whoever knows where that was completes it, once.
"""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self


class _Placed(Protocol):
    path: str


_P = ParamSpec("_P")
_R = TypeVar("_R", bound=_Placed)
_T = TypeVar("_T")

_BY_DESCRIPTOR = "/proc/self/fd/"


class KnownPath(str):
    """A path that is complete: in the terms of the user, and not to be completed again."""

    __slots__ = ()


def name_error(exc: OSError, path: str) -> None:
    """Let an error be about ``path``, unless it has a complete path already."""
    if not isinstance(exc.filename, KnownPath):
        exc.filename, exc.filename2 = KnownPath(path), None


def name_below(exc: OSError, place: str) -> None:
    """Complete the path of an error that happened below the directory ``place``.

    Of two paths it is the second one: what could not be made.
    """
    if exc.filename is None and exc.strerror not in (None, os.strerror(exc.errno or 0)):
        # A sentence of our own.
        return
    found = exc.filename2 if isinstance(exc.filename2, str) else exc.filename
    if not isinstance(found, str) or found in (".", place):
        found = ""
    elif found.startswith(_BY_DESCRIPTOR):
        # Some calls reach an entry of an open directory only so.
        found = found.removeprefix(_BY_DESCRIPTOR).partition("/")[2]
    name_error(exc, os.path.join(place, found) if found else place)


def has_name(exc: OSError) -> bool:
    """Say whether an error is about something that has a path, complete or not."""
    return isinstance(exc.filename, str) and not exc.filename.startswith(_BY_DESCRIPTOR)


class Below:
    """A ``with`` block in which all that is named without a complete path is below a directory."""

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            name_below(error, self._place)


def names_repo(
    function: Callable[Concatenate[_R, _P], _T],
) -> Callable[Concatenate[_R, _P], _T]:
    """Let the errors of a function that works on a repository, its first argument, say which."""

    @wraps(function)
    def named(repo: _R, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(repo, *args, **kwargs)
        except OSError as exc:
            name_below(exc, repo.path)
            raise

    return named


# A sysroot has a path too.
names_sysroot = names_repo
