# SPDX-License-Identifier: Apache-2.0
"""What ends an update on a device, beside what a verification refuses and a server does not answer.

::

    UptaneError
    ├── ImageUnsuitable        an image can never be installed here
    ├── NoRoom                 a disk has not the room that an image takes
    ├── MediumUnreadable       what somebody brought cannot be read
    ├── UpdateCancelled        somebody wants it to end
    ├── ClientBusy             another client runs, or holds back updates
    ├── SecondaryUnreachable   an ECU does not answer
    ├── SecondaryRefused       an ECU does not do what it is asked for
    ├── MessageInvalid         bytes are no message between ECUs
    ├── ControlRefused         a request to the running client cannot be met
    └── UpdateFailed           an update came to nothing on an ECU
"""

from __future__ import annotations

from ostrya.errors import UptaneError


class ImageUnsuitable(UptaneError):
    """An image can never be installed here: it is of another kind, or was found bad."""


class NoRoom(UptaneError):
    """A disk has not the room that an image takes.

    Attributes:
        needed_bytes: How much it takes.
        room_bytes: How much of what is free may be used.
        reserve_bytes: How much has to stay free.
    """

    def __init__(
        self, what: str, needed_bytes: int, room_bytes: int, reserve_bytes: int = 0, why: str = ""
    ) -> None:
        room = f"there is room for {max(room_bytes, 0)}"
        if reserve_bytes:
            free = room_bytes + reserve_bytes
            room = f"of {free} that are free, {reserve_bytes} stay so: {why}"
        super().__init__(
            f"{what} takes {needed_bytes} bytes, and {room}",
            hint="make room; it is tried again by itself",
        )
        self.needed_bytes = needed_bytes
        self.room_bytes = room_bytes
        self.reserve_bytes = reserve_bytes


class MediumUnreadable(UptaneError):
    """What somebody brought cannot be read: a medium has plain files, and is not taken away."""


class UpdateCancelled(UptaneError):
    """Somebody wants it to end."""


class ClientBusy(UptaneError):
    """Another client runs, or another program holds updates back."""


class SecondaryUnreachable(UptaneError):
    """An ECU does not answer."""


class SecondaryRefused(UptaneError):
    """An ECU does not do what it is asked for.

    Attributes:
        code: Which result it gave.
    """

    def __init__(self, message: str, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class MessageInvalid(UptaneError):
    """Bytes are no message between ECUs."""


class ControlRefused(UptaneError):
    """A request to the running client cannot be met.

    Attributes:
        code: Why, in a word for programs.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class UpdateFailed(UptaneError):
    """An update came to nothing on an ECU."""
