# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.source_kinds import (
    ArchiveSource,
    CommitSource,
    DebianSource,
    DirectorySource,
    DockerArchiveSource,
    OciSource,
    parse_source,
)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("/srv/root", None),
        ("odd:name", None),
        ("dir:/srv/root", DirectorySource("/srv/root")),
        ("tar:x.tar", ArchiveSource("x.tar")),
        ("oci:/srv/image", OciSource("/srv/image")),
        ("oci:/srv/image:stable", OciSource("/srv/image", "stable")),
        ("docker-archive:x.tar:debian:12", DockerArchiveSource("x.tar", "debian:12")),
        ("ostree:/srv/repo:os/stable", CommitSource("/srv/repo", "os/stable")),
        ("ostree::os/stable", CommitSource("", "os/stable")),
        ("debian:bookworm", DebianSource("bookworm")),
        ("debian:trixie/arm64", DebianSource("trixie", architecture="arm64")),
        ("debian:bookworm:vim,ssh", DebianSource("bookworm", ("vim", "ssh"))),
    ],
)
def test_what_somebody_wrote(text, source):
    assert parse_source(text) == source


@pytest.mark.parametrize("text", ["oci:", "debian:", "ostree:/srv/repo", "ostree:/srv/repo:"])
def test_what_lacks_something_is_refused_with_the_way_it_is_written(text):
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    assert caught.value.hint.startswith(text.partition(":")[0])
