# SPDX-License-Identifier: Apache-2.0
"""Inputs from inputs: what to try when no coverage-guided fuzzer is at hand."""

from __future__ import annotations

import random
from collections.abc import Callable

MAX_INPUT = 4096
INTERESTING = (0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 33, 64, 127, 128, 253, 254, 255)
TOKENS = (
    b"\0", b"\0\0\0\0", b"\xff" * 8, b"\0s", b"\0v", b"\0ay", b"\0a{sv}", b"..\0", b"/", b"\xed\xa0\x80",
    b"=", b"[", b"]", b"\n", b"\\", b"'", b"nothing", b"just ", b"@", b"<", b">", b"{", b"}", b"(", b")",
    b"\x7f" * 40, bytes(32), b"a" * 64, b"0x", b"1e400", b"inf",
)  # fmt: skip

Mutation = Callable[[bytearray, random.Random], None]


def mutate(seed: bytes, other: bytes, rng: random.Random) -> bytes:
    """Change an input in a few places; now and then cross it with another."""
    data = bytearray(seed)
    if rng.random() < 0.1 and other:
        cut = rng.randrange(len(data) + 1)
        data = data[:cut] + other[rng.randrange(len(other)) :]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        rng.choice(MUTATIONS)(data, rng)
    return bytes(data[:MAX_INPUT])


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice(INTERESTING)


def _random(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.getrandbits(8)


def _tail(data: bytearray, rng: random.Random) -> None:
    """The last bytes are where offsets and types stand."""
    if data:
        at = len(data) - 1 - rng.randrange(min(8, len(data)))
        data[at] = rng.choice(
            (rng.getrandbits(8), len(data) & 255, data[at] - 1 & 255, data[at] + 1 & 255)
        )


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 8)))


def _token(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((0, 0, 1, 2))] = rng.choice(TOKENS)


def _delete(data: bytearray, rng: random.Random) -> None:
    if data:
        at = rng.randrange(len(data))
        del data[at : at + rng.choice((1, 1, 2, 4, 16, len(data)))]


def _repeat(data: bytearray, rng: random.Random) -> None:
    if data:
        start = rng.randrange(len(data))
        part = bytes(data[start : start + rng.choice((1, 2, 4, 16, 64))])
        at = rng.randrange(len(data) + 1)
        data[at:at] = part * rng.choice((1, 1, 2, 10, 40))


def _swap(data: bytearray, rng: random.Random) -> None:
    if len(data) > 1:
        one, two = rng.randrange(len(data)), rng.randrange(len(data))
        data[one], data[two] = data[two], data[one]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _set, _random, _tail, _tail, _insert, _token, _delete, _repeat, _swap,
)  # fmt: skip
