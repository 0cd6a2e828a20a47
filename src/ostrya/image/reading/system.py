# SPDX-License-Identifier: Apache-2.0
"""The system in an image: its deployments, and its files as it will see them when it runs.

A deployment's view is put together of several places, as the ramdisk and systemd do it::

    /          ostree/deploy/STATEROOT/deploy/CHECKSUM.SERIAL of the root file system
    /var       ostree/deploy/STATEROOT/var
    /sysroot   the root file system itself
    /boot      the FAT, where boot entries are on it; else /boot of the root file system
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.bls import Entry as BootEntry
from ostrya.boot.bls import version_key
from ostrya.errors import OstryaError
from ostrya.formats.commit import KEY_VERSION, Commit
from ostrya.formats.keyfile import KeyFile
from ostrya.image.errors import DiskError
from ostrya.image.reading.files import FileKind, Place, View
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.disk import DiskImage, Volume
    from ostrya.image.reading.files import FileSystem

_MOST_TEXT, _MOST_COMMIT = 1 << 20, 16 << 20
_MOST_DEPLOYMENTS, _MOST_REFS = 1000, 10_000
_ORIGIN, _REFSPEC = "origin", "refspec"
_LINUX = ("ext4",)


class Deployment(NamedTuple):
    """A release that was deployed.

    Attributes:
        stateroot: What its system is called.
        name: Its commit and serial number.
        is_default: Whether it is started next.
        version: Of its commit; empty for none.
        timestamp: Of its commit, in seconds since 1970 UTC; None if the commit cannot be read.
        refspec: What it follows; empty for nothing.
        title: Of its boot entry; empty without one.
        kernel: Path of its kernel on the file system that it is started from.
        options: Arguments of its kernel.
    """

    stateroot: str
    name: paths.DeploymentName
    is_default: bool = False
    version: str = ""
    timestamp: int | None = None
    refspec: str = ""
    title: str = ""
    kernel: str = ""
    options: str = ""

    @property
    def path(self) -> str:
        """Its directory on the root file system."""
        return f"/{paths.deployment_dir(self.stateroot, self.name)}"


class System:
    """An OSTree system in an image.

    Attributes:
        root: The partition with its root file system.
        boot: The partition with its boot entries, where that is another one.
        deployments: In the order in which boot loaders have them; without entry last.
        config: Of its repository.
        faults: What is wrong, a sentence each.
    """

    def __init__(self, root: Volume, files: FileSystem, boot: Volume | None) -> None:
        """Look at a system.

        Raises:
            DiskError: Its file system is damaged.
        """
        self.root, self.boot = root, boot
        self.faults: list[str] = []
        self._files = files
        self._view = View(files)
        self.config = self._keyfile(f"/{paths.REPO}/config")
        self.deployments = tuple(self._read_deployments())

    # -- files

    @property
    def default(self) -> Deployment:
        """The deployment that is started next.

        Raises:
            DiskError: There is none.
        """
        for one in self.deployments:
            if one.is_default:
                return one
        raise DiskError("nothing is deployed in it")

    def view(self, deployment: Deployment) -> View:
        """Return the files of a deployment as it sees them.

        Raises:
            DiskError: Its file system is damaged.
        """
        found = View(self._files, self._view.find(deployment.path).entry)
        found.mount("/sysroot", self._files)
        self._mount(found, "/var", f"/{paths.var_dir(deployment.stateroot)}")
        if self.boot is not None and self.boot.files is not None:
            found.mount("/boot", self.boot.files)
        else:
            self._mount(found, "/boot", f"/{paths.BOOT}")
        return found

    def _mount(self, view: View, path: str, place: str) -> None:
        try:
            view.mount(path, self._files, self._view.find(place).entry)
        except DiskError:
            # Nothing of the kind: then there is what the deployment has.
            return

    # -- the repository

    def refs(self) -> list[tuple[str, str]]:
        """List the refs of its repository, and the commits that they point to.

        Raises:
            DiskError: Something is damaged.
        """
        found = []
        for folder, prefix in (("heads", ""), ("remotes", ":")):
            for path, text in self._below(f"/{paths.REPO}/refs/{folder}"):
                name = path.replace("/", ":", 1) if prefix else path
                found.append((name, text.strip()))
        return found

    def remotes(self) -> list[tuple[str, str]]:
        """List where it gets updates: names and addresses."""
        found = []
        for group in self.config.groups():
            if group.startswith('remote "') and group.endswith('"'):
                is_there = self.config.has_key(group, "url")
                url = self.config.get_value(group, "url") if is_there else ""
                found.append((group[len('remote "') : -1], url))
        return found

    def _below(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield small files below a directory, by path."""
        stack = [(folder, "")]
        left = _MOST_REFS
        while stack:
            where, prefix = stack.pop()
            place = self._find(where)
            if place is None or not place.entry.is_dir:
                continue
            for one in self._view.entries(place):
                name = f"{prefix}{one.entry.name}"
                left -= 1
                if left < 0:
                    raise DiskError(f"there are more than {_MOST_REFS} files below {folder}")
                if one.entry.is_dir:
                    stack.append((one.path, f"{name}/"))
                elif one.entry.kind is FileKind.FILE:
                    yield name, self._text(one.path)

    # -- deployments

    def _read_deployments(self) -> Iterator[Deployment]:
        entries = self._boot_entries()
        found = {}
        for stateroot, name in self._names():
            found[stateroot, name] = self._deployment(stateroot, name)
        started = []
        for entry in entries:
            key = self._behind(entry)
            if key in found and key not in started:
                started.append(key)
                found[key] = found[key]._replace(
                    title=entry.fields.get("title", ""),
                    kernel=entry.fields.get("linux", ""),
                    options=entry.fields.get("options", ""),
                )
        order = [*started, *(key for key in found if key not in started)]
        if order and not started:
            self.faults.append("no boot entry leads to a deployment")
        for key in order:
            yield found[key]._replace(is_default=bool(started) and key == started[0])

    def _names(self) -> Iterator[tuple[str, paths.DeploymentName]]:
        top = self._find(f"/{paths.DEPLOY}")
        count = 0
        for stateroot in self._view.entries(top) if top is not None else ():
            folder = self._find(f"{stateroot.path}/deploy")
            if folder is None or not folder.entry.is_dir:
                continue
            for one in self._view.entries(folder):
                name = paths.DeploymentName.parse(one.entry.name)
                count += 1
                if count > _MOST_DEPLOYMENTS:
                    raise DiskError(f"there are more than {_MOST_DEPLOYMENTS} deployments in it")
                if name is not None and one.entry.is_dir:
                    yield stateroot.entry.name, name

    def _deployment(self, stateroot: str, name: paths.DeploymentName) -> Deployment:
        origin = self._keyfile(f"/{paths.origin_file(stateroot, name)}")
        has_ref = origin.has_group(_ORIGIN) and origin.has_key(_ORIGIN, _REFSPEC)
        refspec = origin.get_value(_ORIGIN, _REFSPEC) if has_ref else ""
        try:
            commit = self.commit(str(name.checksum))
        except OstryaError as exc:
            self.faults.append(f"the commit of a deployment: {exc.message}")
            return Deployment(stateroot, name, refspec=refspec)
        version = commit.metadata.lookup(KEY_VERSION, "s") or ""
        return Deployment(
            stateroot, name, version=version, timestamp=commit.timestamp, refspec=refspec
        )

    def commit(self, checksum: str) -> Commit:
        """Read a commit of its repository.

        Raises:
            DiskError: It is not there.
            FormatError: It is damaged.
        """
        path = f"/{paths.REPO}/objects/{checksum[:2]}/{checksum[2:]}.commit"
        return Commit.decode(self._view.read(path, max_bytes=_MOST_COMMIT))

    def _boot_entries(self) -> list[BootEntry]:
        """Return what a boot loader offers, the default first."""
        view, folder = self._view, f"/{paths.FLAT_ENTRIES}"
        if self.boot is not None and self.boot.files is not None:
            view, folder = View(self.boot.files), "/loader/entries"
        try:
            place = view.find(folder)
        except DiskError:
            self.faults.append("there are no boot entries")
            return []
        found = []
        for one in view.entries(place) if place.entry.is_dir else ():
            if one.entry.name.endswith(".conf"):
                text = view.read(one.path, max_bytes=_MOST_TEXT).decode("utf-8", "replace")
                found.append(BootEntry.parse(text))
        found.sort(key=lambda one: version_key(one.fields.get("version", "")), reverse=True)
        return found

    def _behind(self, entry: BootEntry) -> tuple[str, paths.DeploymentName] | None:
        """Return the deployment that an entry leads to; None if there is none such."""
        try:
            link = entry.boot_link
            place = None if link is None else self._view.find(str(link))
        except (DiskError, OstryaError) as exc:
            self.faults.append(f"a boot entry leads nowhere: {exc.message}")
            return None
        if place is None:
            return None
        parts = place.path.split("/")
        name = paths.DeploymentName.parse(parts[-1])
        # /ostree/deploy/STATEROOT/deploy/NAME
        return (parts[3], name) if name is not None and len(parts) == 6 else None

    # -- reading

    def _find(self, path: str) -> Place | None:
        try:
            return self._view.find(path)
        except DiskError:
            return None

    def _text(self, path: str) -> str:
        return self._view.read(path, max_bytes=_MOST_TEXT).decode("utf-8", "replace")

    def _keyfile(self, path: str) -> KeyFile:
        try:
            return KeyFile.parse(self._text(path))
        except OstryaError as exc:
            self.faults.append(f"{path}: {exc.message}" if path not in exc.message else exc.message)
            return KeyFile()


def find_system(disk: DiskImage) -> System | None:
    """Return the OSTree system in an image; None if there is none.

    Raises:
        DiskError: A file system is damaged.
    """
    for volume in disk.volumes:
        if volume.files is not None and volume.kind in _LINUX and _has(volume.files, paths.REPO):
            boot = next((one for one in disk.volumes if _has_entries(one)), None)
            on_root = _has(volume.files, paths.FLAT_ENTRIES)
            return System(volume, volume.files, None if on_root else boot)
    return None


def _has_entries(volume: Volume) -> bool:
    is_fat = volume.kind.startswith("fat")
    return is_fat and volume.files is not None and _has(volume.files, "loader/entries")


def _has(files: FileSystem, path: str) -> bool:
    try:
        View(files).find(path)
    except DiskError:
        return False
    return True


def usual_view(disk: DiskImage) -> View:
    """Return the files that somebody means who names no partition.

    These are those of the default deployment; without one, those of the first Linux file system, or
    of the first that can be read at all.

    Raises:
        DiskError: No file system of it can be read.
    """
    system = find_system(disk)
    if system is not None and system.deployments:
        return system.view(system.default)
    readable = [one for one in disk.volumes if one.files is not None]
    readable.sort(key=lambda one: one.kind not in _LINUX)
    if not readable or readable[0].files is None:
        faults = "; ".join(one.fault for one in disk.volumes if one.fault)
        raise DiskError(f"{disk.path} has no file system that can be read here", hint=faults)
    return View(readable[0].files)
