# SPDX-License-Identifier: Apache-2.0
"""A root file system becomes an OSTree tree.

::

    /bin /sbin /lib*        links to those in /usr
    /etc                    /usr/etc
    /boot/vmlinuz-KVER      /usr/lib/modules/KVER/vmlinuz, and a ramdisk beside it
    /home /srv /mnt /media  links to /var/rootdirs; /opt too, if there is nothing in it
    /root /usr/local        links to /var/roothome and /var/usrlocal
    /var                    what a device begins with; never touched again
    /sysroot /ostree        where the disk is
    compiled Python         no longer bound to the time of its source
    machine state           dropped: identities, random seeds, host keys, caches, logs

What was decided is told; conflicts all at once, over all steps. What is a release already stays the
same. See docs/explanation/conversion.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.kernel import MODULES
from ostrya.image.decisions import Decision, Report
from ostrya.image.errors import SourceError
from ostrya.image.labels import label_tree
from ostrya.image.owners import settle_accounts
from ostrya.image.policies import (
    AccountPolicy,
    LinkRule,
    ResolvPolicy,
    VarRule,
    check_link_rules,
    check_var_rules,
)
from ostrya.image.steps.databases import link_databases, list_packages, move_databases
from ostrya.image.steps.device_trees import (
    DeviceTreeWishes,
    keep_boot_files,
    place_device_trees,
)
from ostrya.image.steps.kernel import empty_boot, place_kernel
from ostrya.image.steps.merge_usr import merge_usr
from ostrya.image.steps.module_index import index_modules
from ostrya.image.steps.places import (
    install_units,
    link_to_var,
    make_empty,
    move_etc,
    write_fragment,
    write_fstab,
)
from ostrya.image.steps.python import unbind_python
from ostrya.image.steps.state import drop_state
from ostrya.image.steps.var import settle_var
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.accounts import Accounts
    from ostrya.image.tree import TreeEditor


class ConvertOptions(NamedTuple):
    """What is to come out of it.

    Attributes:
        fstab: Lines to be added, of file systems that the board has beside the root.
        build_ramdisk: Given the tree and the kernel's version, returns a ramdisk; None to keep the
            tree's own.
        kernel: Which of several kernels: a version, or ``newest``; empty for the only one.
        var: Policies for what is in ``/var``.
        links: Policies for directories that people write to.
        resolv: What becomes of ``/etc/resolv.conf``.
        device_trees: Which a release has.
        boot_files: Patterns of files in ``/boot`` that the board needs.
        before: Who there was in the release before; None if there was none.
        accounts: What to do if users or groups have other numbers.
        label: Whether files are labelled for SELinux, if the tree has a policy.
    """

    fstab: tuple[str, ...] = ()
    build_ramdisk: Callable[[TreeEditor, str], bytes] | None = None
    kernel: str = ""
    var: tuple[VarRule, ...] = ()
    links: tuple[LinkRule, ...] = ()
    resolv: ResolvPolicy = ResolvPolicy.KEEP
    device_trees: DeviceTreeWishes = DeviceTreeWishes()
    boot_files: tuple[str, ...] = ()
    before: Accounts | None = None
    accounts: AccountPolicy = AccountPolicy.FAIL
    label: bool = True


class Converted(NamedTuple):
    """What came out.

    Attributes:
        kver: The version of its kernel.
        report: What was done.
    """

    kver: str
    report: tuple[Decision, ...]

    @property
    def decisions(self) -> tuple[str, ...]:
        """What was done, a sentence each."""
        return tuple(decision.sentence for decision in self.report)


def convert(editor: TreeEditor, options: ConvertOptions) -> Converted:
    """Change a tree so that it can be deployed.

    Raises:
        ConversionError: It cannot be, for all the reasons that it tells.
        SourceError: It is no root file system, or the options make no sense.
        InitramfsError: It lacks something that a ramdisk needs.
    """
    if editor.find_dir("usr") is None:
        raise SourceError(
            "this is no root file system: it has no /usr",
            hint="an archive with a directory around the tree is none, nor an image of one program",
        )
    var_policies = check_var_rules(options.var)
    link_policies = check_link_rules(options.links)
    report = Report()
    merge_usr(editor, report)
    drop_state(editor, report, options.resolv)
    move_etc(editor, report)
    settle_accounts(editor, report, options.before, options.accounts)
    keep_boot_files(editor, report, options.boot_files)
    kver = place_kernel(editor, report, options.kernel)
    if kver:
        place_device_trees(editor, report, kver, options.device_trees)
        index_modules(editor, report, kver)
    empty_boot(editor, report)
    wanted = link_to_var(editor, report, link_policies)
    databases = move_databases(editor, report)
    copies = settle_var(editor, report, var_policies)
    link_databases(editor, databases)
    report.check()
    list_packages(editor, report)
    make_empty(editor)
    write_fragment(editor, report, [*wanted, *databases, *copies])
    write_fstab(editor, report, options.fstab)
    install_units(editor, report)
    unbind_python(editor, report)
    _place_ramdisk(editor, report, kver, options)
    if options.label:
        label_tree(editor, report)
    return Converted(kver, tuple(report.decisions))


def _place_ramdisk(editor: TreeEditor, report: Report, kver: str, options: ConvertOptions) -> None:
    path = f"{MODULES}/{kver}/initramfs.img"
    if options.build_ramdisk is not None:
        data = options.build_ramdisk(editor, kver)
        editor.write(path, data)
        report.tell(
            "ramdisk.built", path, f"built a ramdisk of {len(data)} bytes for kernel {kver}"
        )
    elif not editor.is_file(path):
        raise SourceError(f"there is no /{path}", hint="let one be built, or bring one")
