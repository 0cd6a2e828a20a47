# SPDX-License-Identifier: Apache-2.0
"""What the server refuses, each with a status of HTTP and a code that a program can compare.

::

    FleetError
    ├── BadRequest       400   what was sent is not what it has to be
    ├── NotWelcome       401   nobody said who is asking
    ├── Forbidden        403   whoever asks may not
    ├── NotFound         404   there is nothing of that name
    ├── WrongMethod      405   nothing of that kind is done there
    ├── Conflict         409   what is there is in the way
    ├── NotNow           412   it was, or has to be, another way before
    ├── TooLarge         413   more than is taken at once
    ├── TooMany          429   whoever asks has all that there is for one
    ├── Unavailable      503   the database or the disk does not take it
    └── SetupError             a server cannot be made or started so
"""

from __future__ import annotations

from ostrya.errors import FleetError


class Refusal(FleetError):
    """A request was refused.

    Attributes:
        status: Of the answer.
        code: What it is called for programs.
    """

    status = 400
    usual_code = "bad_request"

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code or self.usual_code


class BadRequest(Refusal):
    """What was sent is not what it has to be."""


class NotWelcome(Refusal):
    """Nobody said who is asking, or not so that it can be believed."""

    status = 401
    usual_code = "unauthorized"


class Forbidden(Refusal):
    """Whoever asks may not."""

    status = 403
    usual_code = "forbidden"


class NotFound(Refusal):
    """There is nothing of that name."""

    status = 404
    usual_code = "not_found"


class WrongMethod(Refusal):
    """Nothing of that kind is done there."""

    status = 405
    usual_code = "method_not_allowed"


class Conflict(Refusal):
    """What is there already is in the way."""

    status = 409
    usual_code = "conflict"


class NotNow(Refusal):
    """Something has to be another way before."""

    status = 412
    usual_code = "precondition_failed"


class TooLarge(Refusal):
    """There is more than is taken at once."""

    status = 413
    usual_code = "payload_too_large"


class TooMany(Refusal):
    """Whoever asks has as many as one may have."""

    status = 429
    usual_code = "too_many_requests"


class Unavailable(Refusal):
    """The database or the disk does not take it; it may be tried again."""

    status = 503
    usual_code = "unavailable"


class SetupError(FleetError):
    """A server cannot be made or started so."""
