# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.context import Context
from ostrya.cli.environment import Environment
from ostrya.progress import NULL_PROGRESS


@pytest.fixture
def context():
    return Context(drop_in=False, environment=Environment(), make_help=lambda: "Usage:\n  x\n")


def test_usage_errors_show_the_help(context):
    error = context.usage_error("so not")
    assert (error.message, error.help_text, error.exit_code) == ("so not", "Usage:\n  x\n\n", 2)


def test_a_verb_that_asks_for_what_it_did_not_declare(context):
    with pytest.raises(RuntimeError):
        _ = context.repo


def test_no_progress_without_a_terminal(context):
    assert context.progress() is NULL_PROGRESS


def test_close_without_a_repository(context):
    context.close()
