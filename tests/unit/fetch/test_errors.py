# SPDX-License-Identifier: Apache-2.0
"""Errors name the address and the cause, in libostree's words where scripts look for them."""

from __future__ import annotations

import pickle

import pytest

from ostrya.fetch.errors import (
    AddressError,
    BodyTooLarge,
    HttpStatusError,
    NetworkError,
    StalledError,
    TransferError,
)

URL = "http://example.com/x"
ERRORS = [
    (AddressError("Invalid URI 'x'"), "Invalid URI 'x'"),
    (NetworkError(URL, "[7] no"), f"While fetching {URL}: [7] no"),
    (HttpStatusError(URL, 404), f"While fetching {URL}: Server returned HTTP 404"),
    (BodyTooLarge(URL, 10), f"URI {URL} exceeded maximum size of 10 bytes"),
]


@pytest.mark.parametrize(("error", "sentence"), ERRORS)
def test_sentences(error, sentence):
    assert error.message == str(error) == sentence
    assert error.exit_code == 40


@pytest.mark.parametrize("error", [error for error, _ in ERRORS])
def test_errors_cross_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.__dict__ == error.__dict__


def test_a_stall_is_trouble_of_the_network():
    assert issubclass(StalledError, NetworkError)
    assert issubclass(NetworkError, TransferError)
