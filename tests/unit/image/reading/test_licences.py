# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest

from ostrya.image.reading.licences import declared_licences, spdx_expression


@pytest.mark.parametrize(
    ("names", "expression"),
    [
        ([], "NOASSERTION"),
        (["GPL-2+"], "GPL-2.0-or-later"),
        (["GPL-2"], "GPL-2.0-only"),
        (["GPL-3.0+"], "GPL-3.0-or-later"),
        (["GPL-2.0-only"], "GPL-2.0-only"),
        (["LGPL-2.1+"], "LGPL-2.1-or-later"),
        (["AGPL-3"], "AGPL-3.0-only"),
        (["GFDL-NIV-1.3+"], "GFDL-1.3-no-invariants-or-later"),
        (["Expat"], "MIT"),
        (["BSD-3-clause"], "BSD-3-Clause"),
        (["apache-2.0"], "Apache-2.0"),
        (["GPL-2+ or Artistic"], "GPL-2.0-or-later OR Artistic-1.0-Perl"),
        (["GPL-2+ and MIT"], "GPL-2.0-or-later AND MIT"),
        (["GPL-2.0-only & bzip2-1.0.6"], "GPL-2.0-only AND bzip2-1.0.6"),
        (["GPL-2+", "MIT"], "GPL-2.0-or-later AND MIT"),
        (["ISC", "GPL-2+ or MIT"], "(GPL-2.0-or-later OR MIT) AND ISC"),
        (["MIT", "Expat"], "MIT"),
        (["GPL-2+ with OpenSSL exception"], "LicenseRef-GPL-2-with-OpenSSL-exception"),
        (["GPL-7"], "LicenseRef-GPL-7"),
        (["public domain"], "LicenseRef-public-domain"),
        (["…"], "LicenseRef-unknown"),
    ],
)  # fmt: skip
def test_names_become_expressions(names, expression):
    found, refs = spdx_expression(names)
    assert found == expression
    assert set(refs) == set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", found))


def test_only_machine_readable_files_declare():
    paragraphs = [
        {"format": "x", "license": "GPL-2+"},
        {"files": "*", "license": "MIT\n text"},
        {"files": "y", "copyright": "z"},
        {"license": "GPL-2+\n text"},
        {"files": "w", "license": "\n"},
    ]
    assert declared_licences(paragraphs) == ("GPL-2+", "MIT")
    assert declared_licences([{"this": "is", "license": "MIT"}]) == ()
    assert declared_licences([]) == ()
