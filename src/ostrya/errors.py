# SPDX-License-Identifier: Apache-2.0
"""The base error, its families, and the exit status of each.

::

    OstryaError                1
    ├── FormatError           10   bytes are not what they claim
    ├── IntegrityError        11   bytes are well-formed, but not these
    ├── RepoError             20   the repository refuses or lacks something
    ├── SignatureError        30   nobody trusted vouches for this
    ├── FetchError            40   bytes could not be had from elsewhere
    ├── PullError             41   a commit could not be made present here
    ├── CommandFailed         45   another program failed
    ├── SysrootError          50   deployments
    ├── BootloaderError       51   the next boot could not be written
    ├── ImageError            60   a disk image could not be built
    ├── UptaneError           70   Uptane forbids it
    └── FleetError            80   the server refuses

Concrete errors live in the ``errors`` module of their room. Called under the name ``ostree``,
every error exits with 1, as libostree's tool does; usage errors exit with 2 under our own name.
"""

from __future__ import annotations


class OstryaError(Exception):
    """Something a user can be told about in one sentence.

    Attributes:
        message: One sentence, naming the object or path.
        hint: What to do about it; empty when there is nothing to add.
    """

    exit_code: int = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def put_first(self, what: str) -> None:
        """Begin the sentence with what it is about: an object, a path."""
        self.message = f"{what}: {self.message}"
        self.args = (self.message,)

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses build their sentence from facts, so their constructors cannot be called
        # with the sentence again when an error crosses from a worker process.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    cls: type[OstryaError], args: tuple[object, ...], facts: dict[str, object]
) -> OstryaError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class FormatError(OstryaError):
    """Bytes or text are not what they claim to be."""

    exit_code = 10


class IntegrityError(OstryaError):
    """Bytes are well-formed, but not the ones that were asked for."""

    exit_code = 11


class RepoError(OstryaError):
    """The repository refuses a request or lacks something."""

    exit_code = 20


class SignatureError(OstryaError):
    """Nobody trusted vouches for these bytes."""

    exit_code = 30


class FetchError(OstryaError):
    """Bytes could not be had from elsewhere."""

    exit_code = 40


class PullError(OstryaError):
    """A commit could not be made present in this repository."""

    exit_code = 41


class CommandFailed(OstryaError):
    """Another program failed.

    Attributes:
        argv: The command line that was run.
        status: Its exit status; negative for a signal.
        stderr: Its last lines.
    """

    exit_code = 45

    def __init__(self, argv: tuple[str, ...], status: int, stderr: str = "") -> None:
        last = f": {stderr.strip().splitlines()[-1]}" if stderr.strip() else ""
        how = f"signal {-status}" if status < 0 else f"status {status}"
        super().__init__(f"{argv[0]} failed with {how}{last}")
        self.argv = argv
        self.status = status
        self.stderr = stderr


class WorkerDied(CommandFailed):
    """A worker process ended before its work was done, for want of memory for instance."""

    def __init__(self, status: int) -> None:
        super().__init__(("a worker process",), status)


class SysrootError(OstryaError):
    """A deployment could not be found, written or changed."""

    exit_code = 50


class BootloaderError(OstryaError):
    """The next boot could not be written."""

    exit_code = 51


class ImageError(OstryaError):
    """A disk image could not be built."""

    exit_code = 60


class UptaneError(OstryaError):
    """The Uptane protocol forbids what was asked."""

    exit_code = 70


class FleetError(OstryaError):
    """The fleet server refuses a request."""

    exit_code = 80
