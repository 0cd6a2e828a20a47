# SPDX-License-Identifier: Apache-2.0
"""Which of several container images is meant: by name, and by platform. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.image.intake.oci_documents import Descriptor, DockerImage

# What Debian, the kernel and boards call what Go calls otherwise.
_ARCHITECTURES = {
    "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "armv7l": "arm",
    "i386": "386", "i686": "386", "ppc64el": "ppc64le",
}  # fmt: skip
# What an image need not say, and means by saying nothing.
_USUAL_VARIANTS = {("arm64", "v8"), ("amd64", "v1")}


def choose_named(found: Sequence[Descriptor], name: str, shown: str) -> list[Descriptor]:
    """Return those of a name, or all without one.

    Raises:
        SourceError: There is none.
    """
    images = [one for one in found if one.is_image]
    chosen = [one for one in images if not name or one.name == name]
    if not chosen:
        names = ", ".join(sorted({one.name for one in images if one.name}))
        what = f"no image of the name '{name}'" if name else "no image"
        raise SourceError(f"{shown}: there is {what}", hint=f"there is: {names}" if names else "")
    return chosen


def choose_platform(found: Sequence[Descriptor], platform: str, shown: str) -> Descriptor:
    """Return the only one for a platform, or the only one at all.

    Raises:
        SourceError: There is none, or more than one.
    """
    fitting = [one for one in found if fits(one.platform, platform)]
    known = ", ".join(dict.fromkeys(_called(one) for one in found))
    if not fitting:
        raise SourceError(
            f"{shown}: there is no image for {platform}", hint=f"there is: {known or 'none'}"
        )
    if len({one.digest for one in fitting}) > 1:
        raise SourceError(f"{shown}: there are {len(fitting)} images", hint=f"say which: {known}")
    return fitting[0]


def choose_docker(found: Sequence[DockerImage], name: str, shown: str) -> DockerImage:
    """Return the image of a name, or the only one.

    Raises:
        SourceError: There is none, or more than one.
    """
    wanted = {_short(name), _short(f"{name}:latest")}
    chosen = [one for one in found if not name or wanted & set(map(_short, one.names))]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(word for one in found for word in one.names)
    if not chosen:
        what = f"no image of the name '{name}'" if name else "no image"
        raise SourceError(f"{shown}: there is {what}", hint=f"there is: {names}" if names else "")
    raise SourceError(f"{shown}: there are {len(chosen)} images", hint=f"say which: {names}")


def _short(name: str) -> str:
    """Return a name without what everybody leaves out."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def fits(has: str, wanted: str) -> bool:
    """Say whether an image of one platform is what another one asks for.

    What an image does not say, nobody can hold against it; what is not asked for, neither.
    """
    if not wanted or not has:
        return True
    ours, theirs = _parts(has), _parts(wanted)
    return ours[0] == theirs[0] and (not theirs[1] or not ours[1] or ours[1] == theirs[1])


def _parts(platform: str) -> tuple[tuple[str, str], str]:
    words = platform.split("/")
    if len(words) == 1 or words[0] in _ARCHITECTURES or words[1].startswith("v"):
        words.insert(0, "linux")
    system, name, *rest = words
    architecture = _ARCHITECTURES.get(name, name)
    variant = rest[0] if rest else ""
    if (architecture, variant) in _USUAL_VARIANTS:
        variant = ""
    return (system, architecture), variant


def _called(one: Descriptor) -> str:
    return one.platform or one.name or str(one.digest)
