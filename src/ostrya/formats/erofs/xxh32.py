# SPDX-License-Identifier: Apache-2.0
"""xxHash, 32 bits: the hash by which EROFS filters names of extended attributes.

Source: xxHash fast digest algorithm, the specification of 2016 (xxhash_spec.md).
"""

from __future__ import annotations

from struct import iter_unpack, unpack_from

_P1, _P2, _P3, _P4, _P5 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1
_MASK = 0xFFFFFFFF


def xxh32(data: bytes, seed: int = 0) -> int:
    """Return the hash of some bytes."""
    size = len(data)
    stripes = size - size % 16
    hashed = _hash_stripes(data[:stripes], seed) if stripes else (seed + _P5) & _MASK
    hashed = (hashed + size) & _MASK
    at = stripes
    while at + 4 <= size:
        (word,) = unpack_from("<I", data, at)
        hashed = _rotate((hashed + word * _P3) & _MASK, 17) * _P4 & _MASK
        at += 4
    for byte in data[at:]:
        hashed = _rotate((hashed + byte * _P5) & _MASK, 11) * _P1 & _MASK
    return _avalanche(hashed)


def _hash_stripes(data: bytes, seed: int) -> int:
    lanes = [(seed + _P1 + _P2) & _MASK, (seed + _P2) & _MASK, seed, (seed - _P1) & _MASK]
    for words in iter_unpack("<4I", data):
        lanes = [
            _rotate((lane + word * _P2) & _MASK, 13) * _P1 & _MASK
            for lane, word in zip(lanes, words, strict=True)
        ]
    return sum(_rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK


def _avalanche(hashed: int) -> int:
    hashed = (hashed ^ hashed >> 15) * _P2 & _MASK
    hashed = (hashed ^ hashed >> 13) * _P3 & _MASK
    return hashed ^ hashed >> 16


def _rotate(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _MASK
