# SPDX-License-Identifier: Apache-2.0
"""``admin deploy``: make a deployment of a commit, and boot it by default.

What was changed in ``/etc`` and the kernel's arguments are taken along from the running
deployment, or from the default one where none runs. That one stays, to fall back to; others go.

With --dry-run nothing is deployed: it is said whether there is room for it, what becomes of changed
files in /etc and of kernel arguments, and which deployments go. The exit status is 1 then if
something stands in the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.kargs import KernelArguments
from ostrya.cli.errors import UsageError
from ostrya.cli.line_files import read_text_file
from ostrya.cli.options import flag, text, texts
from ostrya.cli.output import write_json
from ostrya.cli.preflight_text import print_preflight
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.repo.refs import require_rev
from ostrya.sysroot.admission import require_admissible
from ostrya.sysroot.cleanup import clean_up, clean_up_after
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.order import Retain, merge_deployment, require_stateroot, with_new_deployment
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.overlay_initrds import forget_overlay_initrds, keep_overlay_initrd
from ostrya.sysroot.preflight import Manner, plan_deployment
from ostrya.sysroot.stage import stage_deployment
from ostrya.sysroot.write_deployments import write_deployments

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.sysroot.deployment import Deployment

PARAMETERS = "REFSPEC"
OPTIONS = (
    text("os", "STATEROOT", "The system that it is of; default: the running one"),
    text("stateroot", "STATEROOT", "The same"),
    text("origin-file", "FILE", "Where it came from, as a file; default: REFSPEC"),
    flag("no-prune", "Do not delete objects that nothing needs any more"),
    flag("no-merge", "Take neither /etc nor kernel arguments along"),
    flag("retain", "Delete no deployment"),
    flag("retain-pending", "Do not delete deployments before the running one"),
    flag("retain-rollback", "Do not delete deployments behind the running one"),
    flag("not-as-default", "Put it behind the running one"),
    flag("karg-proc-cmdline", "Begin with the arguments of the running kernel"),
    texts("karg", "NAME=VALUE", "Set an argument of the kernel, in place of others of its name"),
    texts("karg-append", "NAME=VALUE", "Add an argument of the kernel"),
    flag("karg-none", "Begin without arguments of the kernel"),
    texts("karg-delete", "NAME=VALUE", "Leave out an argument of the kernel, if it is there"),
    flag("stage", "Boot it after the next shutdown, which takes /etc along as it is then"),
    flag("lock-finalization", "As --stage, but not before `admin lock-finalization --unlock`"),
    texts("overlay-initrd", "FILE", "Load a further ramdisk on top of the tree's own"),
    flag("early-prune", "Where /boot is too small for both, let the rollback go first"),
    flag("retry-failed", "Deploy a release that was rolled back on this device"),
    flag("dry-run", "Deploy nothing; say what would happen"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Deploy it."""
    if not arguments.positionals:
        raise context.usage_error("REF/REV must be specified")
    _check(arguments, context)
    refspec = arguments.positionals[0]
    named = arguments.text("stateroot") or arguments.text("os")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        stateroot = require_stateroot(loaded, named)
        path = arguments.text("origin-file")
        origin = Origin.following(refspec) if path is None else Origin.parse(read_text_file(path))
        checksum = require_rev(sysroot.repo, refspec)
        merge = None if arguments.flag("no-merge") else merge_deployment(loaded, stateroot)
        wish = DeployWish(stateroot, checksum, origin, _kargs(arguments, merge))
        if arguments.flag("dry-run"):
            manner = Manner(
                _retain(arguments), arguments.flag("early-prune"), _is_staged(arguments)
            )
            found = plan_deployment(sysroot, loaded, wish, merge, manner=manner)
            return print_preflight(found, prints_json=context.json)
        retry = arguments.flag("retry-failed")
        require_admissible(sysroot, loaded, checksum, retry=retry)
        clean_up(sysroot, loaded, prune_repo=False)
        wish = wish._replace(
            overlay_initrds=tuple(
                keep_overlay_initrd(sysroot, path) for path in arguments.texts("overlay-initrd")
            )
        )
        if _is_staged(arguments):
            stage_deployment(
                sysroot,
                loaded,
                wish,
                merge,
                locked=arguments.flag("lock-finalization"),
                progress=context.progress(),
            )
            return 0
        new = deploy(sysroot, loaded, wish, merge, progress=context.progress())
        after = write_deployments(
            sysroot,
            loaded,
            with_new_deployment(loaded.all, new, merge, _retain(arguments)),
            prune=False,
            early_prune=arguments.flag("early-prune"),
        )
        clean_up_after(sysroot, after, prune_repo=not arguments.flag("no-prune"))
        if after.staged is None:
            forget_overlay_initrds(sysroot)
    if context.json:
        write_json({"deployment": str(new.name), "stateroot": stateroot})
    return 0


def _check(arguments: Arguments, context: Context) -> None:
    for one, other in (
        ("karg-proc-cmdline", "karg-none"),
        ("karg-none", "karg-delete"),
        ("no-merge", "karg-delete"),
    ):
        given = arguments.texts(other) if other == "karg-delete" else arguments.flag(other)
        if arguments.flag(one) and given:
            raise context.usage_error(f"Can't specify both --{one} and --{other}")


def _is_staged(arguments: Arguments) -> bool:
    if not (arguments.flag("stage") or arguments.flag("lock-finalization")):
        return False
    if arguments.flag("retain-pending") or arguments.flag("retain-rollback"):
        raise UsageError("--stage cannot currently be combined with --retain arguments")
    if arguments.flag("not-as-default"):
        raise UsageError("--stage cannot currently be combined with --not-as-default")
    return True


def _retain(arguments: Arguments) -> Retain:
    return Retain(
        all=arguments.flag("retain"),
        pending=arguments.flag("retain-pending"),
        rollback=arguments.flag("retain-rollback"),
        not_as_default=arguments.flag("not-as-default"),
    )


def _kargs(arguments: Arguments, merge: Deployment | None) -> KernelArguments | None:
    """Return the kernel's arguments; None for those of the deployment before, as they are."""
    changes = [arguments.texts(name) for name in ("karg", "karg-append", "karg-delete")]
    if arguments.flag("karg-none"):
        kargs = KernelArguments()
    elif arguments.flag("karg-proc-cmdline"):
        kargs = KernelArguments.running(read_text_file("/proc/cmdline"))
    elif not any(changes):
        return None
    else:
        kargs = KernelArguments() if merge is None else merge.command_line
    for word in changes[0]:
        kargs = kargs.set(word)
    for word in changes[1]:
        kargs = kargs.append(word)
    for word in changes[2]:
        kargs = kargs.delete_if_present(word)
    return kargs.check()
