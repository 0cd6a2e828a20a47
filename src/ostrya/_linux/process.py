# SPDX-License-Identifier: Apache-2.0
"""The only door to other programs."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from ostrya.errors import CommandFailed
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

_PIPE_BYTES = 64 << 10
_LOOK_S = 0.1
# What is killed is gone by then, if it can go at all.
_REAP_S = 1.0


class Completed(NamedTuple):
    """What a program came to.

    Attributes:
        status: Its exit status; negative for a signal.
        stdout: What it wrote.
        stderr: What it complained about.
    """

    status: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str],
    *,
    input_data: bytes | memoryview | None = None,
    timeout_s: float = 600,
    variables: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> bytes:
    """Run a program to its end and return what it wrote on standard output.

    Args:
        argv: The program and its arguments.
        input_data: What it reads.
        timeout_s: When it is killed.
        variables: Of its environment, beside our own.
        cwd: Where it runs, if not where we do.

    Raises:
        CommandFailed: It ended with a non-zero status, or could not be started in time.
    """
    result = run_to_end(
        argv, input_data=input_data, timeout_s=timeout_s, variables=variables, cwd=cwd
    )
    if result.status != 0:
        raise CommandFailed(tuple(argv), result.status, result.stderr.decode(errors="replace"))
    return result.stdout


def run_to_end(
    argv: Sequence[str],
    *,
    input_data: bytes | memoryview | None = None,
    timeout_s: float = 600,
    variables: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Completed:
    """Run a program whose exit status is an answer, not a failure; see `run`.

    Raises:
        CommandFailed: It could not be started, or did not end in time.
    """
    log.debug("running argv=%s", list(argv))
    try:
        result = subprocess.run(
            _with_variables(argv, variables),
            input=input_data,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            cwd=cwd,
        )
    except FileNotFoundError as exc:
        raise CommandFailed(tuple(argv), 127, f"{argv[0]}: command not found") from exc
    except subprocess.TimeoutExpired as exc:
        raise CommandFailed(tuple(argv), -9, f"no end after {timeout_s:g} s") from exc
    return Completed(result.returncode, result.stdout, result.stderr)


def run_and_listen(argv: Sequence[str], *, timeout_s: float, most_bytes: int) -> Completed:
    """Run a program that nobody vouches for; if it is late, all that it has started ends with it.

    Args:
        argv: The program and its arguments.
        timeout_s: When it is killed, with whatever it has started.
        most_bytes: How much of the end of what it says is kept, of either kind.

    Raises:
        CommandFailed: It could not be started, or did not end in time.
    """
    log.debug("running argv=%s", list(argv))
    end = time.monotonic() + timeout_s
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as exc:
        raise CommandFailed(tuple(argv), 127, f"{argv[0]}: {exc.strerror}") from exc
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
    try:
        stdout, stderr = _hear_out(process, end, most_bytes)
        status = process.wait(max(0.0, end - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired) as exc:
        # The whole session: a script that hangs mostly hangs in what it has called.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # What waits for a disk that is gone cannot even be killed: nobody waits for it.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_REAP_S)
        raise CommandFailed(tuple(argv), -9, f"no end after {timeout_s:g} s") from exc
    finally:
        for pipe in pipes:
            pipe.close()
    return Completed(status, stdout, stderr)


def _hear_out(process: subprocess.Popen[bytes], end: float, most_bytes: int) -> tuple[bytes, bytes]:
    """Read what a program says until it ends, not what it leaves behind; TimeoutError if late."""
    said = {pipe.fileno(): b"" for pipe in (process.stdout, process.stderr) if pipe is not None}
    with selectors.DefaultSelector() as selector:
        for fd in said:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map():
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # Looked at now and then: kernels before 5.3 tell no selector of a process that ends.
            ready = selector.select(min(left, _LOOK_S))
            for key, _ in ready:
                data = os.read(key.fd, _PIPE_BYTES)
                said[key.fd] = (said[key.fd] + data)[-most_bytes:]
                if not data:
                    selector.unregister(key.fd)
            # Its last words come before its end.
            if not ready and process.poll() is not None:
                break
    stdout, stderr = said.values()
    return stdout, stderr


def run_interactive(argv: Sequence[str], *, variables: Mapping[str, str] | None = None) -> int:
    """Run a program on our own terminal, an editor for instance, and return its exit status."""
    log.debug("running argv=%s", list(argv))
    return subprocess.run(_with_variables(argv, variables), check=False).returncode


def _with_variables(argv: Sequence[str], variables: Mapping[str, str] | None) -> list[str]:
    # Our own environment goes along unread: only the command line looks at it.
    words = [f"{name}={value}" for name, value in (variables or {}).items()]
    return ["env", *words, *argv] if words else list(argv)


class PipedProcess:
    """A program that runs, with pipes to its standard input and from its standard output.

    Attributes:
        argv: How it was started.
        to_fd: Write here what it reads.
        from_fd: Read here what it writes.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        """Start it.

        Raises:
            CommandFailed: It could not be started.
        """
        log.debug("running argv=%s", list(argv))
        self.argv = tuple(argv)
        # Not a pipe: nobody would empty it.
        self._stderr = TemporaryFile()  # noqa: SIM115  # closed with the process
        try:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
            )
        except FileNotFoundError as exc:
            self._stderr.close()
            raise CommandFailed(self.argv, 127, f"{argv[0]}: command not found") from exc
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("Popen makes the pipes that it is asked for")
        self._pipes = (stdin, stdout)
        self.to_fd, self.from_fd = stdin.fileno(), stdout.fileno()

    def complaint(self) -> str:
        """Return what it has written on standard error so far."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def ask_to_end(self) -> None:
        """Ask it to give up, and to clean up what it has made; `end` waits for that."""
        self._process.terminate()

    def end(self, timeout_s: float = 3.0) -> int:
        """Close its input, wait, and kill it if it takes too long; return its status."""
        to_it, from_it = self._pipes
        with suppress(OSError):
            to_it.close()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            # Last: a thread may still be reading what the program said in the end.
            from_it.close()
            self._stderr.close()
