# SPDX-License-Identifier: Apache-2.0
"""Bounded pools of workers: batches out, results back, the first error wins.

Work is spread over forked processes, because the many small steps around each file hold
Python's global lock; where forking is unsafe (the caller runs threads of its own) it is spread
over threads instead, with the same results. A single batch, or a single processor, is worked on
in place, without either.

A worker is made by a factory that runs inside the process or thread that will use it. Batches
and results cross process borders with ``marshal``: plain tuples, lists, dicts, str, bytes, int,
None. At most ``IN_FLIGHT`` batches per worker are under way, so memory stays bounded however
long the iterable of batches is.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import struct
import sys
import time
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from ostrya._linux.dropped_errors import raising_again
from ostrya._linux.heap import keep_freed_memory
from ostrya.errors import WorkerDied
from ostrya.pickled_errors import pickle_error, raise_pickled
from ostrya.worker_threads import IN_FLIGHT, PAUSE, Feed, run_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")
if TYPE_CHECKING:
    Maker = Callable[[], Callable[[T], R]]
    OnWait = Callable[[], object]

# What a child frees and keeps for the next file: glibc takes no higher limit.
_KEPT_BYTES = 32 << 20
_HEADER = struct.Struct("<cI")
_RESULT, _ERROR = b"r", b"e"
_READ_BYTES = 256 * 1024
_GRACE_S = 3.0
_STATUS_UNKNOWN = 1
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def default_jobs() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def map_batches(
    make_worker: Maker[T, R],
    batches: Iterable[T],
    *,
    jobs: int | None = None,
    on_wait: OnWait = lambda: None,
    on_stop: OnWait = lambda: None,
) -> Generator[R, None, None]:
    """Run a worker over batches, and yield the results in the order in which they are ready.

    Args:
        make_worker: Makes the function that turns a batch into a result; called once in every
            process or thread that works.
        batches: What there is to do; taken from lazily, on the calling thread. With ``PAUSE``
            in place of a batch, one that comes later does not keep back results and errors.
        jobs: How many workers at most; by default one per processor. With one, a batch is
            done before the next is asked for.
        on_wait: Called now and then on the calling thread, unless that works itself.
        on_stop: Called when all is to end early and threads are at work, which nothing can end
            from outside.

    Raises:
        Exception: Whatever the first worker to fail raised; the others are stopped.
        WorkerDied: A worker process was killed.
    """
    jobs = default_jobs() if jobs is None else jobs
    todo = iter(batches)
    if jobs <= 1:
        yield from _run_inline(make_worker, todo)
        return
    head = list(islice((batch for batch in todo if batch is not PAUSE), 2))
    if len(head) < 2:
        yield from _run_inline(make_worker, iter(head))
    elif _has_threads():
        yield from run_threads(make_worker, chain(head, todo), jobs, on_wait, on_stop)
    else:
        yield from _ProcessPool(make_worker, jobs, on_wait).run(chain(head, todo))


def _has_threads() -> bool:
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _run_inline(make_worker: Maker[T, R], batches: Iterator[T]) -> Iterator[R]:
    """Work in place; each batch is asked for when the one before it is done."""
    work: Callable[[T], R] | None = None
    for batch in batches:
        if batch is PAUSE:
            continue
        if work is None:
            work = make_worker()
        yield work(batch)


class _Child:
    """The parent's side of one worker process."""

    __slots__ = ("from_fd", "inbox", "outbox", "pid", "to_fd", "under_way")

    def __init__(self, pid: int, to_fd: int, from_fd: int) -> None:
        self.pid = pid
        self.to_fd = to_fd
        self.from_fd = from_fd
        self.outbox = bytearray()
        self.inbox = bytearray()
        self.under_way = 0


class _ProcessPool(Generic[T, R]):
    def __init__(self, make_worker: Maker[T, R], jobs: int, on_wait: OnWait) -> None:
        self._make_worker = make_worker
        self._jobs = jobs
        self._on_wait = on_wait
        self._children: list[_Child] = []

    def run(self, batches: Iterator[T]) -> Iterator[R]:
        clean = False
        restore = _keep_ended_children()
        try:
            self._fork_all()
            if self._children:
                yield from self._exchange(batches)
            else:
                yield from _run_inline(self._make_worker, batches)
            clean = True
        finally:
            self._stop(kill=not clean)
            restore()

    def _fork_all(self) -> None:
        # A signal must find either the caller's handlers or the child's, never the caller's
        # clean-up running in a child.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        try:
            for _ in range(self._jobs):
                if not self._fork(before):
                    break
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _fork(self, mask: set[int | signal.Signals]) -> bool:
        """Start a worker; False if the system has no room for one more."""
        child_in, to_fd = os.pipe()
        from_fd, child_out = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            # None where the process was started without them.
            if stream is not None:
                stream.flush()
        try:
            pid = os.fork()
        except OSError:
            for fd in (child_in, to_fd, from_fd, child_out):
                os.close(fd)
            return False
        if pid == 0:
            ours = [to_fd, from_fd]
            for sibling in self._children:
                ours += [sibling.to_fd, sibling.from_fd]
            _child_main(self._make_worker, child_in, child_out, ours, mask)
        os.close(child_in)
        os.close(child_out)
        os.set_blocking(to_fd, False)
        self._children.append(_Child(pid, to_fd, from_fd))
        return True

    def _exchange(self, batches: Iterator[T]) -> Iterator[R]:
        feed = Feed(batches)
        works = True
        while feed.more or works:
            feed.begin_round()
            # Breadth first: no worker gets a second batch while another has none.
            for level in range(1, IN_FLIGHT + 1):
                for child in self._children:
                    if child.under_way < level and (batch := feed.take()) is not None:
                        self._give(child, batch)
            works = any(child.under_way for child in self._children)
            if works:
                yield from self._collect(feed.patience_s)

    @staticmethod
    def _give(child: _Child, batch: T) -> None:
        payload = marshal.dumps(batch)  # type: ignore[arg-type]  # plain values by contract
        child.outbox += _HEADER.pack(_RESULT, len(payload)) + payload
        child.under_way += 1
        _send(child)

    def _collect(self, patience_s: float) -> Iterator[R]:
        poll = select.poll()
        for child in self._children:
            if child.under_way:
                poll.register(child.from_fd, select.POLLIN)
            if child.outbox:
                poll.register(child.to_fd, select.POLLOUT)
        ready = {fd for fd, _ in poll.poll(patience_s * 1000)}
        self._on_wait()
        for child in self._children:
            if child.to_fd in ready:
                _send(child)
            if child.from_fd in ready:
                yield from self._receive(child)

    def _receive(self, child: _Child) -> Iterator[R]:
        data = os.read(child.from_fd, _READ_BYTES)
        if not data:
            raise WorkerDied(self._reap(child))
        child.inbox += data
        while len(child.inbox) >= _HEADER.size:
            kind, size = _HEADER.unpack_from(child.inbox)
            end = _HEADER.size + size
            if len(child.inbox) < end:
                return
            payload = bytes(child.inbox[_HEADER.size : end])
            del child.inbox[:end]
            child.under_way -= 1
            if kind == _ERROR:
                raise_pickled(payload)
            result: R = marshal.loads(payload)  # noqa: S302  # our own child's bytes
            yield result

    def _reap(self, child: _Child) -> int:
        self._children.remove(child)
        os.close(child.to_fd)
        os.close(child.from_fd)
        try:
            _, status = os.waitpid(child.pid, 0)
        except ChildProcessError:
            # Somebody else in this process took its status.
            return _STATUS_UNKNOWN
        return os.waitstatus_to_exitcode(status)

    def _stop(self, *, kill: bool) -> None:
        if kill:
            # Asked first, so that they take their temporary files with them.
            self._signal_all(signal.SIGTERM)
            deadline = time.monotonic() + _GRACE_S
            while self._any_alive() and time.monotonic() < deadline:
                time.sleep(0.005)
            self._signal_all(signal.SIGKILL)
        while self._children:
            self._reap(self._children[0])

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            # Of one that is gone for good, the number may be another process's by now.
            if _is_alive(child.pid):
                with suppress(ProcessLookupError):
                    os.kill(child.pid, number)

    def _any_alive(self) -> bool:
        return any(_is_alive(child.pid) for child in self._children)


def _is_alive(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def _keep_ended_children() -> Callable[[], None]:
    """Let the kernel keep the status of children until it is asked for; return the way back.

    It keeps none where SIGCHLD is ignored, as a process may inherit it from its parent.
    """
    if signal.getsignal(signal.SIGCHLD) != signal.SIG_IGN:
        return lambda: None
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except ValueError:
        # Only the main thread may.
        return lambda: None
    return _ignore_ended_children


def _ignore_ended_children() -> None:
    # A generator that nobody finished may be closed in any thread.
    with suppress(ValueError):
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def _send(child: _Child) -> None:
    with suppress(BlockingIOError):
        while child.outbox:
            try:
                del child.outbox[: os.write(child.to_fd, child.outbox)]
            except BrokenPipeError:
                # The child is gone; reading from it tells how.
                child.outbox.clear()


class _Stopped(BaseException):
    """The parent asks this worker to stop."""


def _raise_stopped(_number: int, _frame: object) -> NoReturn:
    # Once is enough: nothing may interrupt what cleans up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Stopped


def _child_main(
    make_worker: Maker[T, R],
    in_fd: int,
    out_fd: int,
    others: list[int],
    mask: set[int | signal.Signals],
) -> NoReturn:
    status = 1
    try:
        # Ctrl-C reaches the whole process group; the parent decides what to do about it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _raise_stopped)
        for fd in others:
            os.close(fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        keep_freed_memory(_KEPT_BYTES)
        with raising_again(_Stopped):
            _serve(make_worker(), in_fd, out_fd)
        status = 0
    except _Stopped:
        # Cleaned up; now die the way a signal is died of.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    except BaseException as exc:  # noqa: BLE001  # raised again in the parent
        with suppress(OSError, _Stopped):
            _reply(out_fd, _ERROR, pickle_error(exc))
    finally:
        os._exit(status)


def _serve(work: Callable[[T], R], in_fd: int, out_fd: int) -> None:
    with os.fdopen(in_fd, "rb") as stream:
        while header := stream.read(_HEADER.size):
            _, size = _HEADER.unpack(header)
            batch = marshal.loads(stream.read(size))  # noqa: S302  # our own parent's bytes
            result: Any = work(batch)
            _reply(out_fd, _RESULT, marshal.dumps(result))


def _reply(fd: int, kind: bytes, payload: bytes) -> None:
    rest = memoryview(_HEADER.pack(kind, len(payload)) + payload)
    while rest:
        rest = rest[os.write(fd, rest) :]
