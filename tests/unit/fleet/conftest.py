# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.domain.services import open_services
from support.fleet_server import Clock, direct_device, make, publish_file


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A server that nobody uses: it is copied."""
    return make(tmp_path_factory.mktemp("made") / "fleet", Clock().now)


@pytest.fixture
def services(tmp_path, made, clock):
    """A server that is open, at a time that goes only when it is told to."""
    shutil.copytree(made, tmp_path / "fleet")
    with open_services(str(tmp_path / "fleet"), now=clock) as found:
        yield found


@pytest.fixture
def gateway(services):
    return Gateway(services)


@pytest.fixture
def device(services, gateway):
    """A device that is registered."""
    return direct_device(services, gateway)


@pytest.fixture
def firmware(services, tmp_path):
    """The name of an image that is published."""
    publish_file(services, tmp_path)
    return "fw-1"


@pytest.fixture
def look(services):
    """Reads something from the database."""

    def read(query, *arguments):
        with services.fleet.database.read() as connection:
            return query(connection, *arguments)

    return read


@pytest.fixture
def change(services):
    """Changes something in the database."""

    def write(deed, *arguments):
        return services.fleet.database.write(lambda connection: deed(connection, *arguments))

    return write
