# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
import shutil

import pytest
from jsonschema import Draft202012Validator

from ostrya.fleet.api import openapi
from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.api.tools import OwnersDoor, Tools
from ostrya.fleet.domain.services import open_services
from support.fleet_server import Clock, DirectLink, direct_device, make, publish_file


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


@pytest.fixture
def owner(services):
    """The owner at the door for tools."""
    return DirectLink(OwnersDoor(Tools(services)))


@pytest.fixture
def ask(owner):
    """Asks the API something, and looks whether the answer is as its description says."""

    def deed(method, path, value=None, *, status=200):
        body = None if value is None else json.dumps(value).encode()
        reply = owner.ask(method, f"/api/v1{path}", body)
        assert reply.status == status, reply.body
        check_answer(method, path.partition("?")[0], reply)
        return reply.json() if reply.body else None

    return deed


def check_answer(method, path, reply):
    document = openapi.document()
    for pattern, operations in document["paths"].items():
        parts = re.escape(pattern).replace(r"\{", "{").replace(r"\}", "}")
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", parts.replace("{name}", ".+")), f"/api/v1{path}"):
            found = operations.get(method.lower())
            if found is None:
                continue
            answer = found["responses"][str(reply.status)]
            if "content" not in answer:
                assert reply.body == b""
                return
            (schema,) = (one["schema"] for one in answer["content"].values())
            assert reply.headers["content-type"] in answer["content"]
            whole = {**schema, "components": document["components"]}
            Draft202012Validator(whole).validate(reply.json())
            return
    raise AssertionError((method, path))
