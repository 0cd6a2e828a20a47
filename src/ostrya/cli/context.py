# SPDX-License-Identifier: Apache-2.0
"""What a verb is given besides its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ostrya.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.cli.environment import Environment
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments
    from ostrya.progress import ProgressSink
    from ostrya.repo.repository import Repository


class Context:
    """The surroundings of one run of a verb.

    Attributes:
        drop_in: We were called as ``ostree``.
        environment: The variables that we honour.
        make_help: Returns the verb's ``--help``, which is made only when somebody asks.
        json: The user wants JSON on stdout.
        repo_path: The repository's path; empty for a verb that takes none.
    """

    __slots__ = (
        "_repo",
        "drop_in",
        "environment",
        "json",
        "make_help",
        "progress_mode",
        "repo_path",
    )

    def __init__(
        self, *, drop_in: bool, environment: Environment, make_help: Callable[[], str]
    ) -> None:
        self.drop_in = drop_in
        self.environment = environment
        self.make_help = make_help
        self.json = False
        self.progress_mode = "auto"
        self.repo_path = ""
        self._repo: Repository | None = None

    @property
    def repo(self) -> Repository:
        """The repository that the verb works on, open."""
        if self._repo is None:
            raise RuntimeError("this verb declares no repository in the table")
        return self._repo

    @repo.setter
    def repo(self, repo: Repository) -> None:
        self._repo = repo

    def progress(
        self, *, interval_s: float | None = None, lines_elsewhere: bool = False
    ) -> ProgressSink:
        """Return where a long operation reports to, as the user wants to see it.

        Args:
            interval_s: How often; None for what is fit for the way it is shown.
            lines_elsewhere: Whether lines are written by default where there is no terminal, but
                not under the name ``ostree``.
        """
        from ostrya.cli.progress_choice import choose_progress

        return choose_progress(
            self.progress_mode,
            no_color=self.environment.no_color,
            interval_s=interval_s,
            lines_elsewhere=lines_elsewhere and not self.drop_in,
        )

    def usage_error(self, message: str) -> UsageError:
        """Return an error that shows the verb's help above the message."""
        return UsageError(message, help_text=self.make_help() + "\n")

    def disable_fsync(self) -> None:
        """Do not wait for the disk during this run."""
        self.repo.config = self.repo.config._replace(fsync=False)

    def close(self) -> None:
        """Close the repository, if one was opened."""
        if self._repo is not None:
            self._repo.close()


class Command(Protocol):
    """What a verb's module has to offer."""

    PARAMETERS: str
    OPTIONS: tuple[Option, ...]

    def run(self, arguments: Arguments, context: Context) -> int:
        """Do what the verb is for, and return the exit status."""
