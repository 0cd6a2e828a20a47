# SPDX-License-Identifier: Apache-2.0
"""How many connections there may be: of all, of one device, and of one address.

A connection counts for the address that it came from, until it is known which device it is of; then
it counts for that device. Where no place is left, the one that has been without a request for
longest makes room; if all have one, the new one is turned away. So nobody, device or not, can take
all the places of the others.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Places(NamedTuple):
    """For how many there is room.

    Attributes:
        most: Of all together.
        most_per_device: Of one device.
        most_per_address: Of one address that have not shown to be a device's.
    """

    most: int
    most_per_device: int
    most_per_address: int


class DoorFacts(NamedTuple):
    """What came by a door of a server that runs.

    Attributes:
        connections: How many are open.
        requests: How many were answered since it runs.
        turned_away: How many connections found no place since then.
    """

    connections: int
    requests: int
    turned_away: int


class Seat:
    """The place of one connection.

    Attributes:
        group: Whom it counts for, an address or a device.
        end: Ends the connection.
        idle_since: When it was without a request last, in turns; None while there is one.
    """

    __slots__ = ("_connections", "end", "group", "idle_since")

    def __init__(self, connections: Connections, group: tuple[str, str]) -> None:
        self._connections = connections
        self.group = group
        self.end: Callable[[], None] | None = None
        self.idle_since: int | None = None

    def settle(self, end: Callable[[], None]) -> None:
        """Be a connection that speaks, and can be ended while it has no request."""
        self.end = end
        self.idle()

    def belongs_to(self, device: str) -> bool:
        """Count for a device from now on; False if it has all that it may have."""
        return self._connections.move(self, ("device", device))

    def busy(self) -> None:
        """Have a request: nobody ends it now."""
        self._connections.set_idle(self, since=False)

    def idle(self) -> None:
        """Have no request: it may have to make room."""
        self._connections.set_idle(self, since=True)

    def leave(self) -> None:
        """Be gone."""
        self._connections.remove(self)


class Connections:
    """All connections of one door."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._all: set[Seat] = set()
        self._groups: dict[tuple[str, str], set[Seat]] = {}
        # The first of them has been so for longest.
        self._idle: dict[Seat, None] = {}
        self._turns = count()

    def __len__(self) -> int:
        return len(self._all)

    def arrive(self, address: str) -> Seat | None:
        """Give a place to who comes from an address; None if there is none."""
        group = ("address", address)
        if not self._has_room(group, self._places.most_per_address):
            return None
        if len(self._all) >= self._places.most and not self._make_room(
            next(iter(self._idle), None)
        ):
            return None
        seat = Seat(self, group)
        self._all.add(seat)
        self._groups.setdefault(group, set()).add(seat)
        return seat

    def move(self, seat: Seat, group: tuple[str, str]) -> bool:
        """Let a place count for a device; False if it has all that it may have."""
        if not self._has_room(group, self._places.most_per_device):
            return False
        self._leave_group(seat)
        seat.group = group
        self._groups.setdefault(group, set()).add(seat)
        return True

    def set_idle(self, seat: Seat, *, since: bool) -> None:
        """Say whether a place is without a request from now on."""
        self._idle.pop(seat, None)
        seat.idle_since = None
        if since and seat in self._all:
            seat.idle_since = next(self._turns)
            self._idle[seat] = None

    def remove(self, seat: Seat) -> None:
        """Free a place."""
        if seat in self._all:
            self._all.discard(seat)
            self._idle.pop(seat, None)
            self._leave_group(seat)

    def _has_room(self, group: tuple[str, str], most: int) -> bool:
        seats = self._groups.get(group, set())
        if len(seats) < most:
            return True
        idle = [(one.idle_since, one) for one in seats if one.idle_since is not None]
        return self._make_room(min(idle, key=lambda pair: pair[0])[1] if idle else None)

    def _make_room(self, seat: Seat | None) -> bool:
        if seat is None:
            return False
        self.remove(seat)
        if seat.end is not None:
            seat.end()
        return True

    def _leave_group(self, seat: Seat) -> None:
        seats = self._groups[seat.group]
        seats.discard(seat)
        if not seats:
            del self._groups[seat.group]
