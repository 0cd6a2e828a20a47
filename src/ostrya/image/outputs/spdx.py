# SPDX-License-Identifier: Apache-2.0
"""A bill of materials: SPDX 2.3, as JSON. Pure.

The image is one package that contains those of its package manager. Licences are those that the
tree's own copyright files declare; nobody here concludes anything.

Source: SPDX 2.3, chapters 6 to 11.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from ostrya.image.reading.licences import NONE, spdx_expression
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from ostrya.image.reading.packages import Package

_DOCUMENT, _IMAGE = "SPDXRef-DOCUMENT", "SPDXRef-Image"
_NAMESPACE = "https://spdx.org/spdxdocs"
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_PERSON = re.compile(r"(.*?)\s*<([^<>]+)>\s*")
_TEAM_WORDS = ("team", "group", "maintainers", "developers", "project", "list")


class Subject(NamedTuple):
    """What a bill is of.

    Attributes:
        name: What the image is called.
        version: The version of its release, or else its commit.
        commit: Its commit.
        distribution: As ``ID=`` of os-release has it; empty if nobody says.
        uuid: Of the document.
        timestamp: In seconds since 1970 UTC.
        tool: What made it, a name and a version.
    """

    name: str
    version: str
    commit: str
    distribution: str
    uuid: UUID
    timestamp: int
    tool: str


def encode_bill(subject: Subject, packages: Sequence[Package]) -> bytes:
    """Return a bill of materials."""
    refs: dict[str, str] = {}
    described, ids = [_image(subject)], []
    taken: set[str] = set()
    for package in packages:
        expression, more = spdx_expression(package.licences)
        refs.update(more)
        spdx_id = _spdx_id(package, taken)
        ids.append(spdx_id)
        described.append(_package(package, spdx_id, expression, subject.distribution))
    relationships = [_relation(_DOCUMENT, "DESCRIBES", _IMAGE)]
    relationships += [_relation(_IMAGE, "CONTAINS", one) for one in ids]
    created = datetime.fromtimestamp(subject.timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    document: dict[str, object] = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": subject.name,
        "documentNamespace": f"{_NAMESPACE}/{quote(subject.name, safe='')}-{subject.uuid}",
        "creationInfo": {"created": created, "creators": [f"Tool: {subject.tool}"]},
        "documentDescribes": [_IMAGE],
        "packages": described,
        "relationships": relationships,
    }
    if refs:
        document["hasExtractedLicensingInfos"] = [
            {
                "licenseId": ref,
                "name": refs[ref],
                "extractedText": f"What the copyright files in the image call '{refs[ref]}'.",
            }
            for ref in sorted(refs)
        ]
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _image(subject: Subject) -> dict[str, object]:
    return {
        "SPDXID": _IMAGE,
        "name": subject.name,
        "versionInfo": subject.version,
        "primaryPackagePurpose": "OPERATING_SYSTEM",
        "downloadLocation": NONE,
        "filesAnalyzed": False,
        "licenseConcluded": NONE,
        "licenseDeclared": NONE,
        "copyrightText": NONE,
        "checksums": [{"algorithm": "SHA256", "checksumValue": subject.commit}],
        "comment": "The checksum is that of the OSTree commit.",
    }


def _spdx_id(package: Package, taken: set[str]) -> str:
    words = [package.name, package.architecture] if package.architecture else [package.name]
    base = "SPDXRef-Package-" + "-".join(_UNSAFE.sub("-", word) for word in words)
    spdx_id, number = base, 1
    while spdx_id in taken:
        number += 1
        spdx_id = f"{base}-{number}"
    taken.add(spdx_id)
    return spdx_id


def _package(package: Package, spdx_id: str, licence: str, distribution: str) -> dict[str, object]:
    found: dict[str, object] = {
        "SPDXID": spdx_id,
        "name": package.name,
        "versionInfo": package.version,
        "downloadLocation": NONE,
        "filesAnalyzed": False,
        "licenseConcluded": NONE,
        "licenseDeclared": licence,
        "copyrightText": NONE,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": _purl(package, distribution),
            }
        ],
    }
    if package.maintainer:
        found["supplier"] = _supplier(package.maintainer)
    if package.homepage.startswith(("http://", "https://")) and " " not in package.homepage:
        found["homepage"] = package.homepage
    if package.source or package.source_version:
        source = package.source or package.name
        version = package.source_version or package.version
        found["sourceInfo"] = f"built from the source package {source} {version}"
    if package.files:
        found["comment"] = f"{package.files} files"
    return found


def _purl(package: Package, distribution: str) -> str:
    words = ["pkg:" + package.kind]
    if distribution and package.kind != "generic":
        words.append(quote(distribution.lower(), safe=""))
    words.append(f"{quote(package.name, safe='')}@{quote(package.version, safe='')}")
    where = f"?arch={quote(package.architecture, safe='')}" if package.architecture else ""
    return "/".join(words) + where


def _supplier(maintainer: str) -> str:
    match = _PERSON.fullmatch(maintainer)
    name, address = (match[1].strip('" '), match[2]) if match is not None else (maintainer, "")
    is_team = any(word in name.lower() for word in _TEAM_WORDS)
    kind = "Organization" if is_team else "Person"
    # Round brackets would end the name.
    name = name.replace("(", "[").replace(")", "]") or "unknown"
    return f"{kind}: {name} ({address})" if address else f"{kind}: {name}"
