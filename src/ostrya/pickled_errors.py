# SPDX-License-Identifier: Apache-2.0
"""Errors on their way from a forked worker to the process that forked it."""

from __future__ import annotations

from typing import NoReturn

from ostrya.errors import OstryaError


def pickle_error(exc: BaseException) -> bytes:
    """Give the bytes of an error; of one that does not survive the journey, of its words."""
    import pickle

    try:
        payload = pickle.dumps(exc)
        pickle.loads(payload)  # noqa: S301  # does it survive the journey?
    except Exception:  # noqa: BLE001  # whatever a foreign error's pickling raises
        return pickle.dumps(OstryaError(f"{type(exc).__name__}: {exc}"))
    return payload


def raise_pickled(payload: bytes) -> NoReturn:
    """Raise what a worker has pickled."""
    import pickle

    # The bytes come from our own forked child, over a pipe that nobody else holds.
    raise pickle.loads(payload)  # noqa: S301
