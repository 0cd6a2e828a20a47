# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.intake.oci_choice import choose_docker, choose_named, choose_platform, fits
from ostrya.image.intake.oci_documents import Descriptor, Digest, DockerImage


def one(number: int, platform: str = "", name: str = "", *, is_image: bool = True) -> Descriptor:
    return Descriptor("x", Digest("sha256", f"{number:064}"), 1, platform, name, is_image)


@pytest.mark.parametrize(
    ("has", "wanted"),
    [
        ("linux/amd64", "amd64"),
        ("linux/amd64", "x86_64"),
        ("linux/arm64/v8", "arm64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm/v7", "armhf"),
        ("linux/arm/v7", "arm/v7"),
        ("", "amd64"),
        ("linux/amd64", ""),
    ],
)
def test_what_fits(has, wanted):
    assert fits(has, wanted)


@pytest.mark.parametrize(
    ("has", "wanted"),
    [("linux/amd64", "arm64"), ("windows/amd64", "amd64"), ("linux/arm/v6", "arm/v7")],
)
def test_what_does_not(has, wanted):
    assert not fits(has, wanted)


def test_by_platform():
    found = [one(1, "linux/amd64"), one(2, "linux/arm64")]
    assert choose_platform(found, "arm64", "x") == found[1]
    assert choose_platform(found[:1], "", "x") == found[0]
    assert choose_platform([found[0], found[0]], "", "x") == found[0]
    with pytest.raises(SourceError, match="there are 2 images") as caught:
        choose_platform(found, "", "x")
    assert caught.value.hint == "say which: linux/amd64, linux/arm64"
    with pytest.raises(SourceError, match="no image for riscv64"):
        choose_platform(found, "riscv64", "x")


def test_by_name():
    found = [one(1, name="a"), one(2, name="b"), one(3, is_image=False)]
    assert choose_named(found, "b", "x") == [found[1]]
    assert choose_named(found, "", "x") == found[:2]
    with pytest.raises(SourceError, match="of the name 'c'") as caught:
        choose_named(found, "c", "x")
    assert caught.value.hint == "there is: a, b"
    with pytest.raises(SourceError, match="there is no image"):
        choose_named([], "", "x")


def test_of_docker():
    images = [DockerImage("1", ("a:latest",), ()), DockerImage("2", ("b:1", "c:1"), ())]
    assert choose_docker(images, "a", "x") == images[0]
    assert choose_docker(images, "c:1", "x") == images[1]
    assert choose_docker(images, "docker.io/library/c:1", "x") == images[1]
    assert choose_docker(images[:1], "", "x") == images[0]
    with pytest.raises(SourceError, match="2 images") as caught:
        choose_docker(images, "", "x")
    assert caught.value.hint == "say which: a:latest, b:1, c:1"
    with pytest.raises(SourceError, match="no image of the name 'd'"):
        choose_docker(images, "d", "x")
