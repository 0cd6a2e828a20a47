# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.output_file import naming_output


@pytest.mark.parametrize(
    ("error", "filename"),
    [
        (OSError(28, "No space left on device"), "out"),
        (OSError(28, "No space left on device", 7), "out"),
        (OSError(28, "No space left on device", "tmp/x"), "tmp/x"),
        (OSError(5, "Input/output error"), None),
    ],
)
def test_only_what_the_output_lacks(error, filename):
    with pytest.raises(OSError, match=r"No space|Input") as caught, naming_output("out"):
        raise error
    assert caught.value.filename == filename
