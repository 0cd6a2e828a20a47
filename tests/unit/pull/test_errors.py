# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

from ostrya.fetch.fetcher import Response
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.errors import ObjectNotServed


def test_an_object_that_is_not_served_names_itself_and_the_address():
    name = ObjectName("ab" * 32, ObjectType.DIR_TREE)
    error = ObjectNotServed(name, Response(404, "http://x/objects/ab/cd.dirtree"))
    assert error.message == "Server returned HTTP 404 for http://x/objects/ab/cd.dirtree"
    assert str(name) in error.hint
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.name, again.status) == (error.message, name, 404)
