# SPDX-License-Identifier: Apache-2.0
"""``boot.scr``: a constant script that starts a deployment or its fallback. Pure.

What changes is data: ``uEnv.txt`` on the root file system says what there is (`backends.uboot`, and
`trial_lines`), ``ostrya0.env`` and ``ostrya1.env`` beside the script hold the record of a trial
twice, each with its checksum and of a size that never changes. `ostrya.boot.trial` has the
decisions. Where the script ends, the board starts over; it never leaves somebody at a prompt.

The language is that of U-Boot's old shell: no functions, no arithmetic, ``run`` for a variable that
holds commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.trial import MOST_TRIES, PICK, VARIABLES, End, Why
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.boot.trial import Trial

STATE_FILES = ("ostrya0.env", "ostrya1.env")
STATE_BYTES = 512
# Tells a record from an environment of somebody else's, and is there when all else is empty.
FORMAT_VARIABLE = "ostrya_v"
FORMAT = "1"
_UENV = "/boot/loader/uEnv.txt"
_PER_ENTRY = ("kernel_image", "ramdisk_image", "fdt_file", "fdtdir", "bootargs")
_TRIAL = ("dep_id", "dep_id2", "dep_trial", "dep_tries")
# What a tree says for itself, each of its own: a bad one's would be in the way of the fallback.
TREES_OWN_NAMES = ("fdt_overlays", "fdtfile")
_MOST = "x" * MOST_TRIES
_DEFAULT_FDTFILE = 'if test -z "${fdtfile}"; then setenv fdtfile "${ostrya_fdtfile}"; fi'
_KINDS = ("booti", "bootz", "bootm", "zboot")


class ScriptBoard(NamedTuple):
    """What a script has to know of a board.

    Attributes:
        boot_command: ``booti``, ``bootz``, ``bootm`` or ``zboot``.
        root_part: Number of the partition with the root file system, on the script's device.
        kernel_addr: Address or variable that the kernel is loaded to, and so on.
        ramdisk_addr: The same of the ramdisk.
        fdt_addr: Of the device tree.
        overlay_addr: Of a device tree overlay.
        state_addr: Of the record, for a moment.
        extra_args: Kernel arguments of the board, before all others.
        fdtfile: The device tree of a directory of them, where U-Boot's own variable has none.
        counts_itself: Whether U-Boot counts starts by ``bootcount`` and decides by ``altbootcmd``;
            the script then looks at ``rollback`` only.
    """

    boot_command: str
    root_part: int = 2
    kernel_addr: str = "${kernel_addr_r}"
    ramdisk_addr: str = "${ramdisk_addr_r}"
    fdt_addr: str = "${fdt_addr_r}"
    overlay_addr: str = "${fdtoverlay_addr_r}"
    state_addr: str = "${scriptaddr}"
    extra_args: str = ""
    fdtfile: str = ""
    counts_itself: bool = False


def trial_lines(trial: Trial) -> list[str]:
    """Return the lines of ``uEnv.txt`` that say what is on trial."""
    lines = [f"dep_id={trial.identity}"] if trial.identity else []
    if trial.fallback:
        lines.append(f"dep_id2={trial.fallback}")
    if trial.on_trial:
        lines += ["dep_trial=1", f"dep_tries={'x' * trial.most}"]
    return lines


def make_boot_script(board: ScriptBoard) -> str:
    """Return the text of the script."""
    if board.boot_command not in _KINDS:
        raise ValueError(f"a script cannot boot by {board.boot_command}")
    decide = _CLASSIC if board.counts_itself else _decision(board)
    return "\n".join((_head(board), _commands(board), decide, _TAIL))


def _head(board: ScriptBoard) -> str:
    own = (*TREES_OWN_NAMES, *(f"{name}2" for name in TREES_OWN_NAMES))
    lists = (_PER_ENTRY, [f"{name}2" for name in _PER_ENTRY], _TRIAL, own)
    # Named, since the file could bring any variable otherwise; few at a time, since some boards
    # take no more than 16 words.
    imports = "\n".join(
        f"  env import -t {board.state_addr} ${{ostrya_size}} {' '.join(names)}" for names in lists
    )
    return f"""\
# Written by Ostrya, once. What changes is in uEnv.txt and in the record of a trial.
if test -z "${{distro_bootpart}}"; then setenv distro_bootpart 1; fi
setenv ostrya_part "${{devtype}} ${{devnum}}:${{distro_bootpart}}"
setenv ostrya_root "${{devtype}} ${{devnum}}:{board.root_part}"
setenv ostrya_fdtfile "${{fdtfile}}"
if load ${{ostrya_root}} {board.state_addr} {_UENV}; then
  setenv ostrya_size "${{filesize}}"
{imports}
else
  echo "ostrya: {_UENV} cannot be read"
  sleep 3
  reset
fi
{_DEFAULT_FDTFILE}"""


def _commands(board: ScriptBoard) -> str:
    """Variables that hold commands: load and start what was chosen, and write the record."""
    is_pc = board.boot_command == "zboot"
    size = 'setenv ostrya_size "${filesize}"; ' if is_pc else ""
    arguments = f"{board.extra_args} " if board.extra_args else ""
    start = (
        'setenv ostrya_ok 1; setenv ostrya_rd "-"; setenv ostrya_fdt; '
        f"if load ${{ostrya_root}} {board.kernel_addr} ${{kernel_image}}; then {size}true; "
        "else echo ostrya: no kernel; setenv ostrya_ok; fi; "
        f'if test -n "${{ramdisk_image}}"; then {_load_ramdisk(board)}; fi; '
    )
    if not is_pc:
        start += f"{_load_devicetree(board)}; "
    start += (
        f'if test -n "${{ostrya_ok}}"; then '
        f'setenv bootargs "{arguments}${{bootargs}} ${{ostrya_arg}}"; '
        f"{_start(board)}; fi"
    )
    save = (
        f"env export -c -s {STATE_BYTES:x} {board.state_addr} {FORMAT_VARIABLE} "
        f"{' '.join(VARIABLES)}; setenv ostrya_saved; "
        f"if fatwrite ${{ostrya_part}} {board.state_addr} {STATE_FILES[0]} {STATE_BYTES:x}; then "
        f"setenv ostrya_saved 1; "
        f"fatwrite ${{ostrya_part}} {board.state_addr} {STATE_FILES[1]} {STATE_BYTES:x}; fi"
    )
    names = (*_PER_ENTRY, *TREES_OWN_NAMES)
    first = "; ".join(f'setenv {name}1 "${{{name}}}"' for name in names)
    swap, back = (
        "; ".join([*(f'setenv {name} "${{{name}{number}}}"' for name in names), _DEFAULT_FDTFILE])
        for number in (2, 1)
    )
    return f"""\
setenv ostrya_start '{start}'
setenv ostrya_save '{save}'
setenv ostrya_take2 '{swap}'
setenv ostrya_take1 '{back}'
{first}"""


def _load_ramdisk(board: ScriptBoard) -> str:
    rest = "${filesize}" if board.boot_command == "zboot" else f"{board.ramdisk_addr}:${{filesize}}"
    return (
        f"if load ${{ostrya_root}} {board.ramdisk_addr} ${{ramdisk_image}}; then "
        f'setenv ostrya_rd "{rest}"; else echo ostrya: no ramdisk; setenv ostrya_ok; fi'
    )


def _load_devicetree(board: ScriptBoard) -> str:
    """The deployment's device tree, one of its directory, or the firmware's; and overlays."""
    fallback = board.fdtfile or "none.dtb"
    load = f"load ${{ostrya_root}} {board.fdt_addr}"
    # An overlay that cannot be applied spoils the tree: never the firmware's, which the fallback
    # needs. That of QEMU has a mebibyte of room in it.
    move = f"fdt move ${{ostrya_fdt}} {board.fdt_addr}"
    overlay = (
        f'if test -n "${{fdt_overlays}}"; then fdt addr ${{ostrya_fdt}}; '
        f'if test "${{ostrya_fdt}}" = "{board.fdt_addr}"; then fdt resize 8192; '
        f"else if {move} 20000; then true; else {move} 200000; fi; "
        f'setenv ostrya_fdt "{board.fdt_addr}"; fi; '
        f"for ostrya_one in ${{fdt_overlays}}; do "
        f"if load ${{ostrya_root}} {board.overlay_addr} ${{ostrya_one}}; then "
        f"if fdt apply {board.overlay_addr}; then true; "
        f"else echo ostrya: cannot apply ${{ostrya_one}}; setenv ostrya_ok; fi; "
        f"else echo ostrya: no overlay ${{ostrya_one}}; setenv ostrya_ok; fi; done; fi"
    )
    return (
        f'if test -n "${{fdt_file}}"; then '
        f'if {load} ${{fdt_file}}; then setenv ostrya_fdt "{board.fdt_addr}"; '
        f"else echo ostrya: no device tree; setenv ostrya_ok; fi; "
        f'elif test -n "${{fdtdir}}"; then '
        f'if test -z "${{fdtfile}}"; then setenv fdtfile "{fallback}"; fi; '
        f'if {load} ${{fdtdir}}/${{fdtfile}}; then setenv ostrya_fdt "{board.fdt_addr}"; '
        f"else echo ostrya: no device tree ${{fdtfile}}; setenv ostrya_ok; fi; "
        f'elif test -n "${{fdt_addr}}"; then setenv ostrya_fdt "${{fdt_addr}}"; '
        f'else setenv ostrya_fdt "${{fdtcontroladdr}}"; fi; {overlay}'
    )


def _start(board: ScriptBoard) -> str:
    if board.boot_command == "zboot":
        return (
            f'if test "${{ostrya_rd}}" = "-"; then zboot {board.kernel_addr} ${{ostrya_size}}; '
            f"else zboot {board.kernel_addr} ${{ostrya_size}} {board.ramdisk_addr} ${{ostrya_rd}}; "
            "fi"
        )
    return f"{board.boot_command} {board.kernel_addr} ${{ostrya_rd}} ${{ostrya_fdt}}"


def _decision(board: ScriptBoard) -> str:
    part, names = "${ostrya_part}", " ".join((FORMAT_VARIABLE, *VARIABLES))

    def read(file: str) -> str:
        return (
            f"if load {part} {board.state_addr} {file}; then "
            f"env import -c {board.state_addr} {STATE_BYTES:x} {names}; fi"
        )

    return f"""\
setenv {FORMAT_VARIABLE}
{read(STATE_FILES[0])}
if test "${{{FORMAT_VARIABLE}}}" != "{FORMAT}"; then
  {read(STATE_FILES[1])}
fi
if test "${{{FORMAT_VARIABLE}}}" != "{FORMAT}"; then
  setenv ostrya_id
  setenv ostrya_try
  setenv ostrya_end
  setenv ostrya_once
fi
setenv {FORMAT_VARIABLE} {FORMAT}
setenv ostrya_pick 1
setenv ostrya_why
setenv ostrya_done
if test -n "${{ostrya_once}}"; then
  setenv ostrya_want "${{ostrya_once}}"
  setenv ostrya_once
  run ostrya_save
  if test -n "${{ostrya_saved}}"; then
    if test "${{ostrya_want}}" = "${{dep_id}}"; then
      setenv ostrya_why {Why.ONCE}
      setenv ostrya_done 1
    elif test "${{ostrya_want}}" = "${{dep_id2}}"; then
      setenv ostrya_pick 2
      setenv ostrya_why {Why.ONCE}
      setenv ostrya_done 1
    fi
  fi
fi
if test -z "${{dep_id}}"; then setenv ostrya_done 1; fi
if test -z "${{kernel_image2}}"; then setenv ostrya_done 1; fi
if test -z "${{ostrya_done}}"; then
  if test "${{ostrya_id}}" != "${{dep_id}}"; then
    setenv ostrya_try
    setenv ostrya_end
  fi
  if test "${{ostrya_end}}" = "{End.OK}"; then
    true
  elif test -n "${{ostrya_end}}"; then
    setenv ostrya_pick 2
    setenv ostrya_why {Why.BAD}
  elif test "${{dep_trial}}" = "1"; then
    setenv ostrya_id "${{dep_id}}"
    if test "${{ostrya_try}}" = "${{dep_tries}}" -o "${{ostrya_try}}" = "{_MOST}"; then
      setenv ostrya_try
      setenv ostrya_end {End.TRIES}
      setenv ostrya_pick 2
      setenv ostrya_why {Why.TRIES}
      run ostrya_save
    else
      setenv ostrya_try "${{ostrya_try}}x"
      setenv ostrya_why {Why.TRIAL}
      run ostrya_save
      if test -z "${{ostrya_saved}}"; then
        setenv ostrya_pick 2
        setenv ostrya_why {Why.UNWRITABLE}
      fi
    fi
  fi
fi
setenv ostrya_arg
if test -n "${{ostrya_why}}"; then setenv ostrya_arg "{PICK}=${{ostrya_why}}"; fi
echo "ostrya: deployment ${{ostrya_pick}} ${{ostrya_arg}}"
if test "${{ostrya_pick}}" = "2"; then run ostrya_take2; fi
run ostrya_start
if test "${{ostrya_pick}}" = "1"; then
  if test -n "${{kernel_image2}}"; then
    if test -n "${{dep_id}}"; then
      setenv ostrya_id "${{dep_id}}"
      setenv ostrya_try
      setenv ostrya_end {End.LOAD}
      run ostrya_save
    fi
    setenv ostrya_arg "{PICK}={Why.LOAD}"
    echo "ostrya: deployment 2 ${{ostrya_arg}}"
    run ostrya_take2
    run ostrya_start
  fi
fi
if test -n "${{kernel_image2}}"; then
  setenv ostrya_arg "{PICK}={Why.LAST}"
  echo "ostrya: deployment 1 ${{ostrya_arg}}"
  run ostrya_take1
  run ostrya_start
fi"""


_CLASSIC = f"""\
setenv ostrya_arg
setenv ostrya_pick 1
if test "${{rollback}}" = "1"; then
  if test -n "${{kernel_image2}}"; then
    setenv ostrya_pick 2
    setenv ostrya_arg "{PICK}={Why.TRIES}"
    run ostrya_take2
  fi
fi
echo "ostrya: deployment ${{ostrya_pick}} ${{ostrya_arg}}"
run ostrya_start
if test "${{ostrya_pick}}" = "1"; then
  if test -n "${{kernel_image2}}"; then
    if test "${{upgrade_available}}" = "1"; then
      setenv rollback 1
      setenv upgrade_available 0
      saveenv
    fi
    setenv ostrya_arg "{PICK}={Why.LOAD}"
    echo "ostrya: deployment 2 ${{ostrya_arg}}"
    run ostrya_take2
    run ostrya_start
  fi
fi"""

_TAIL = """\
echo "ostrya: nothing can be started"
sleep 3
reset
"""
