# SPDX-License-Identifier: Apache-2.0
"""What the demo of booting shows: steps, commands and what they say, and a line that lives.

The line says which step it is, for how long, and the last words of the device's console. Where
there is no terminal, it is left out.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from support.systemd_device import SystemdDevice

_REFRESHES = 4
_WORDS = 200


class Screen:
    """The screen, and a transcript of it in Markdown.

    Attributes:
        watched: The device whose console the line shows; None for none.
        transcript: What was shown so far.
    """

    def __init__(self, console: Console) -> None:
        self.watched: SystemdDevice | None = None
        self.transcript = ""
        self._console = console
        self._begun = time.monotonic()
        self._step = ""
        self._step_begun = self._begun
        self._number = 0
        self._live = Live(
            console=console, get_renderable=self._line, refresh_per_second=_REFRESHES,
            transient=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()
        if exc_info[0] is None:
            self._close_block()

    def step(self, title: str) -> None:
        """Begin a step."""
        self._number += 1
        self._step, self._step_begun = title, time.monotonic()
        self._console.print(f"\n[bold]{self._number}. {title}[/bold]")
        self._close_block()
        self.transcript += f"\n## {self._number}. {title}\n"

    def note(self, text: str) -> None:
        """Say something about a step."""
        self._console.print(f"   [dim]{text}[/dim]")

    def typed(self, prompt: str, command: str) -> None:
        """Show a command."""
        # As one line: whatever is printed of one, the live line wipes out.
        line = Text.assemble("   ", (prompt, "green"), f" {command}")
        self._console.print(line, soft_wrap=True)
        self._add(f"{prompt} {command}")

    def said(self, text: str) -> None:
        """Show what a command said."""
        for line in text.splitlines():
            self._console.print(f"   {line}", markup=False, soft_wrap=True)
            self._add(line)

    def event(self, text: str, seconds: float) -> None:
        """Show what happened by itself."""
        self._console.print(f"   [yellow]{text}[/yellow] [dim]{seconds:.0f} s[/dim]")
        self._add(f"# {text}")

    def _add(self, line: str) -> None:
        if not self.transcript.endswith("\n\0"):
            self.transcript += "\n```text\n\0"
        self.transcript = f"{self.transcript[:-1]}{line}\n\0"

    def _close_block(self) -> None:
        if self.transcript.endswith("\0"):
            self.transcript = f"{self.transcript[:-1]}```\n"

    def _line(self) -> Text:
        now = time.monotonic()
        words = ""
        if self.watched is not None and self.watched.guest is not None:
            lines = self.watched.guest.transcript[-2000:].split("\n")
            words = next((line.strip() for line in reversed(lines) if line.strip()), "")
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f"   {now - self._begun:4.0f} s  ", style="bold cyan")
        line.append(f"step {self._number}, {now - self._step_begun:.0f} s  ", style="cyan")
        line.append(words[:_WORDS], style="dim")
        return line
