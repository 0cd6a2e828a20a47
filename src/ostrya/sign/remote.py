# SPDX-License-Identifier: Apache-2.0
"""From a remote's settings to the verifiers that they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.sign.engine import make_verifier
from ostrya.sign.errors import InvalidKey
from ostrya.sign.policy import parse_demand
from ostrya.sign.trust import SYSTEM_DIRS, load_remote_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.sign.engine import Verifier


def remote_verifiers(
    key: str,
    setting: Callable[[str], str | None],
    *,
    allow_dummy: bool = False,
    base_dirs: Sequence[str] = SYSTEM_DIRS,
) -> list[Verifier]:
    """Return the verifiers of which one must accept; an empty list where no signature is needed.

    Args:
        key: ``sign-verify`` or ``sign-verify-summary``.
        setting: Gives a setting of the remote, None where it is not set.
        allow_dummy: Whether this is a test.
        base_dirs: Where the system's keys are.

    Raises:
        SignatureError: The settings contradict themselves, or there is no key at all.
    """
    demand = parse_demand(setting(key))
    verifiers = []
    for engine in demand.engines:
        keys = load_remote_keys(
            engine,
            inline=setting(f"verification-{engine}-key"),
            path=setting(f"verification-{engine}-file"),
            required=demand.keys_required,
            base_dirs=base_dirs,
        )
        if keys is not None:
            verifiers.append(make_verifier(engine, keys, allow_dummy=allow_dummy))
    if demand.engines and not verifiers:
        raise InvalidKey(f"{key} asks for signatures, but there is no key to verify them with")
    return verifiers
