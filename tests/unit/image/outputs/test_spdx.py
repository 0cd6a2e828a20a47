# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from uuid import UUID

from ostrya.image.outputs.spdx import Subject, encode_bill
from ostrya.image.reading.packages import Package

SUBJECT = Subject("my os", "7", "ab" * 32, "Debian", UUID(int=5), 1700000000, "ostrya-1")
PACKAGES = [
    Package(
        "deb", "libstdc++6", "12.2-14+deb12u1", "amd64", "gcc-12", "12.2", "Debian GCC Maintainers <x@y>",
        "http://gcc.gnu.org/", ("GPL-3+", "odd one"), 9,
    ),
    Package("deb", "libstdc--6", "1:2~3", "amd64", maintainer="Jane (her) Doe <j@d>", homepage="no address"),
    Package("generic", "thing", "1"),
]  # fmt: skip


def bill(packages=PACKAGES):
    return json.loads(encode_bill(SUBJECT, packages))


def test_it_says_what_spdx_asks_for():
    found = bill()
    assert found["spdxVersion"] == "SPDX-2.3"
    assert found["dataLicense"] == "CC0-1.0"
    assert found["creationInfo"] == {
        "created": "2023-11-14T22:13:20Z",
        "creators": ["Tool: ostrya-1"],
    }
    assert found["documentNamespace"] == f"https://spdx.org/spdxdocs/my%20os-{UUID(int=5)}"
    ids = [one["SPDXID"] for one in found["packages"]]
    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in ids)
    for one in found["packages"]:
        assert {
            "name",
            "downloadLocation",
            "licenseConcluded",
            "licenseDeclared",
            "copyrightText",
        } <= set(one)
        assert one["filesAnalyzed"] is False


def test_the_image_contains_the_packages():
    found = bill()
    relations = [
        (one["spdxElementId"], one["relationshipType"], one["relatedSpdxElement"])
        for one in found["relationships"]
    ]
    assert relations[0] == ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image")
    ids = [one["SPDXID"] for one in found["packages"][1:]]
    assert relations[1:] == [("SPDXRef-Image", "CONTAINS", one) for one in ids]


def test_a_package_says_where_it_comes_from():
    first, second, third = bill()["packages"][1:]
    assert first["licenseDeclared"] == "GPL-3.0-or-later AND LicenseRef-odd-one"
    assert first["supplier"] == "Organization: Debian GCC Maintainers (x@y)"
    assert first["homepage"] == "http://gcc.gnu.org/"
    assert first["sourceInfo"] == "built from the source package gcc-12 12.2"
    assert first["comment"] == "9 files"
    (purl,) = first["externalRefs"]
    assert purl["referenceLocator"] == "pkg:deb/debian/libstdc%2B%2B6@12.2-14%2Bdeb12u1?arch=amd64"
    assert second["supplier"] == "Person: Jane [her] Doe (j@d)"
    assert "homepage" not in second
    assert second["licenseDeclared"] == "NOASSERTION"
    assert third["externalRefs"][0]["referenceLocator"] == "pkg:generic/thing@1"


def test_licences_that_nobody_knows_are_explained():
    found = bill()
    (info,) = found["hasExtractedLicensingInfos"]
    assert (info["licenseId"], info["name"]) == ("LicenseRef-odd-one", "odd one")
    assert "hasExtractedLicensingInfos" not in bill([])
