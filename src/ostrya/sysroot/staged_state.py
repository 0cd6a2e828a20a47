# SPDX-License-Identifier: Apache-2.0
"""What is noted of a deployment that waits for a shutdown. Pure.

``/run/ostree/staged-deployment``, GVariant ``a{sv}``::

    target            a{sv}   name s, osname s, bootcsum s
    merge-deployment  a{sv}   the same; whose /etc and kernel arguments are taken along
    kargs             as      kernel arguments; absent for those of merge-deployment
    overlay-initrds   as      checksums of further ramdisks
    bootconfig-extra  a{ss}   further keys of the boot entry
    locked            b       it waits longer, until it is let go

libostree finalizes what we note, and we what it notes; further keys are kept.

Source: ostree-sysroot-deploy.c (ostree_sysroot_stage_tree_with_options).
"""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.errors import StagedInvalid
from ostrya.sysroot.paths import DeploymentName, check_stateroot

_TARGET = "target"
_MERGE = "merge-deployment"
_KARGS = "kargs"
_INITRDS = "overlay-initrds"
_EXTRA = "bootconfig-extra"
_LOCKED = "locked"


class DeploymentNote(NamedTuple):
    """Enough of a deployment to find it.

    Attributes:
        stateroot: Which system it is of.
        name: Its commit and its serial.
        bootcsum: The checksum of its kernel.
    """

    stateroot: str
    name: DeploymentName
    bootcsum: str

    def to_vardict(self) -> VarDict:
        """Give it as it is noted."""
        return VarDict.of(
            {
                "name": Variant("s", str(self.name)),
                "osname": Variant("s", self.stateroot),
                "bootcsum": Variant("s", self.bootcsum),
            }
        )

    @classmethod
    def of(cls, noted: VarDict) -> DeploymentNote:
        """Read it.

        Raises:
            StagedInvalid: Something is missing, or no name of a deployment.
            SysrootError: It is of no system that there can be.
        """
        texts = {}
        for key in ("name", "osname", "bootcsum"):
            texts[key] = noted.lookup(key, "s")
            if texts[key] is None:
                raise StagedInvalid(f"Missing key: {key}")
        name = DeploymentName.parse(texts["name"])
        if name is None:
            raise StagedInvalid(f"Invalid deployment name '{texts['name']}'")
        return cls(check_stateroot(texts["osname"]), name, texts["bootcsum"])


class StagedState(NamedTuple):
    """What is noted.

    Attributes:
        target: The staged deployment; None for a file that names none.
        merge: The deployment that it goes on from.
        kargs: The kernel's arguments; None for those of ``merge``.
        overlay_initrds: Checksums of further ramdisks.
        extra_fields: Further keys of the boot entry.
        locked: Whether it waits longer than for the next shutdown.
        others: What else was noted, by others.
    """

    target: DeploymentNote | None
    merge: DeploymentNote | None = None
    kargs: tuple[str, ...] | None = None
    overlay_initrds: tuple[str, ...] = ()
    extra_fields: tuple[tuple[str, str], ...] = ()
    locked: bool = False
    others: VarDict = VarDict()

    @classmethod
    def decode(cls, data: bytes) -> StagedState:
        """Parse the file.

        Raises:
            StagedInvalid: It cannot be understood.
        """
        try:
            noted: VarDict = decode_variant("a{sv}", data)
        except FormatError as exc:
            raise StagedInvalid(f"The note of the staged deployment is damaged: {exc}") from exc
        target, merge = noted.lookup(_TARGET, "a{sv}"), noted.lookup(_MERGE, "a{sv}")
        known = {_TARGET, _MERGE, _KARGS, _INITRDS, _EXTRA, _LOCKED}
        return cls(
            None if target is None else DeploymentNote.of(target),
            None if merge is None else DeploymentNote.of(merge),
            noted.lookup(_KARGS, "as"),
            noted.lookup(_INITRDS, "as") or (),
            tuple(noted.lookup(_EXTRA, "a{ss}") or ()),
            noted.lookup(_LOCKED, "b") or False,
            VarDict.of(entry for entry in noted if entry[0] not in known),
        )

    def encode(self) -> bytes:
        """Give the file's bytes."""
        entries: dict[str, Variant] = {}
        if self.target is not None:
            entries[_TARGET] = Variant("a{sv}", self.target.to_vardict())
        if self.locked:
            entries[_LOCKED] = Variant("b", True)  # noqa: FBT003  # a value, not an argument
        if self.merge is not None:
            entries[_MERGE] = Variant("a{sv}", self.merge.to_vardict())
        if self.kargs is not None:
            entries[_KARGS] = Variant("as", self.kargs)
        if self.overlay_initrds:
            entries[_INITRDS] = Variant("as", self.overlay_initrds)
        if self.extra_fields:
            entries[_EXTRA] = Variant("a{ss}", self.extra_fields)
        return encode_variant("a{sv}", VarDict.of([*entries.items(), *self.others]))
