# SPDX-License-Identifier: Apache-2.0
"""A device with a sysroot whose loader falls back, and a server that has releases as commits."""

from __future__ import annotations

from pathlib import Path

from ostrya.repo.modes import RepoMode
from ostrya.sysroot.stage import finalize_staged
from ostrya.sysroot.sysroot import Sysroot
from ostrya.sysroot.verdict import mark_good
from ostrya.uptane.client.config import Booted
from ostrya.uptane.client.installer import ImageSource
from ostrya.uptane.client.ostree_installer import OstreeInstaller
from ostrya.uptane.client.server import Treehub
from ostrya.uptane.full_verification import Agreed
from ostrya.uptane.metadata.targets import Image
from support.machines import Machine
from support.small_repos import make_repo
from support.trial_world import TrialMachine


class Releases:
    """A server's releases, in an archive."""

    def __init__(self, machine: Machine, top: Path) -> None:
        self.machine = machine
        self.repo = make_repo(top / "treehub", RepoMode.ARCHIVE)

    def make(self, version: str, **more: object) -> str:
        """Commit one."""
        return self.machine.commit(version, repo=self.repo, **more)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return f"file://{self.repo.path}"


class Hub(ImageSource):
    """Where releases are pulled from."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open_image(self, name, uri, offset, max_bytes):
        raise AssertionError(f"{name} is a commit")

    def treehub(self, uri: str = "") -> Treehub:
        return Treehub(uri or self.url, "", "", "")


def commit_image(checksum: str, **custom: object) -> Image:
    """What an Image repository says of a commit."""
    told = {"hardwareIds": ["board"], "targetFormat": "OSTREE", "releaseCounter": 4, **custom}
    return Image(0, {"sha256": checksum}, told)  # type: ignore[arg-type]


def agreed(name: str, checksum: str) -> Agreed:
    """A commit that both repositories speak for."""
    told = commit_image(checksum)
    return Agreed(name, 0, {"sha256": checksum}, {"ecu-1": "board"}, 4, True, "", told, told)


class SysrootDevice:
    """A machine on which an installer works.

    Attributes:
        machine: It; its running deployment is made up.
        releases: What its server has.
    """

    def __init__(self, top: Path) -> None:
        top.mkdir(parents=True, exist_ok=True)
        self.machine = TrialMachine(top)
        self.releases = Releases(self.machine, top)
        self.first = self.machine.commit("1")
        self.machine.deploy(self.first)
        mark_good(self.machine.sysroot, self.machine.start())

    def open(self) -> Sysroot:
        return self.machine.open(self.machine.sysroot.running)

    def installer(self, booted: Booted = Booted.BOOTED) -> OstreeInstaller:
        return OstreeInstaller(self.open, "", booted)

    def shut_down(self) -> None:
        """What systemd does at a shutdown."""
        finalize_staged(self.machine.sysroot, self.machine.loaded)

    def lose_power(self) -> None:
        """What is noted in /run is gone."""
        (self.machine.top / "run/staged-deployment").unlink(missing_ok=True)

    def close(self) -> None:
        self.machine.close()
        self.releases.repo.close()
