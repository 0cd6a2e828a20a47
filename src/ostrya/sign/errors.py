# SPDX-License-Identifier: Apache-2.0
"""Why nobody vouches for some bytes.

::

    SignatureError
    ├── NoSignature         there is none of the kind that is asked for
    ├── UntrustedKey        no trusted key made any of them
    ├── BadSignature        it does not belong to these bytes, or is none at all
    ├── SignatureExpired    it was good until some day
    ├── KeyExpired          its key was good until some day
    ├── KeyRevoked          its owner says not to trust its key any more
    ├── InvalidKey          what should be a key is none, or no key was found
    └── SigningFailed       a signature could not be made
"""

from __future__ import annotations

from ostrya.errors import SignatureError


class NoSignature(SignatureError):
    """There is no signature of the kind that is asked for."""


class UntrustedKey(SignatureError):
    """None of the signatures was made by a trusted key."""


class BadSignature(SignatureError):
    """A signature does not belong to these bytes, or is none at all."""


class SignatureExpired(SignatureError):
    """A signature was good only until some day."""


class KeyExpired(SignatureError):
    """A signature's key was good only until some day."""


class KeyRevoked(SignatureError):
    """A signature's key is not to be trusted any more."""


class InvalidKey(SignatureError):
    """What should be a key is none, or there is no key."""


class SigningFailed(SignatureError):
    """A signature could not be made."""
