# SPDX-License-Identifier: Apache-2.0
"""``grub.cfg`` with automatic rollback: the decisions of `ostrya.boot.trial` for GRUB 2. Pure.

The record lies in ``ostrya/grubenv`` on a small FAT file system, whose device the constant
``grub.cfg`` there (`make_stub`) leaves in ``ostrya_dev``; this file is read from the root file
system. Attempts are counted as so many x: Debian's GRUB has no arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.backends.grub2 import menu_title, start_lines
from ostrya.boot.trial import MOST_TRIES, PICK, VARIABLES, End, Trial, Why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bls import Entry

STATE_FILE = "ostrya/grubenv"
_NAMES = " ".join(VARIABLES)
_FILE = f"(${{ostrya_dev}})/{STATE_FILE}"


def make_stub(root: str, *, config: str = "/boot/loader/grub.cfg", console: str = "") -> str:
    """Return the constant ``grub.cfg`` of the FAT file system.

    Args:
        root: How the root file system is found: ``--label otaroot``, ``--fs-uuid …``.
        config: Where the other file is on it.
        console: Commands that bring output to where somebody sees it.
    """
    return f"""\
# Written by Ostrya, once. What changes is in {config}, and in {STATE_FILE} here.
{console}set ostrya_dev="$root"
export ostrya_dev
search --no-floppy --set=root {root}
if configfile {config}; then true; fi
echo "ostrya: {config} cannot be read"
sleep 3
reboot
"""


def make_trial_cfg(
    entries: Sequence[Entry],
    trial: Trial,
    *,
    prefix: str,
    timeout_s: int = 2,
) -> str:
    """Return the text of the file that the stub reads.

    Args:
        entries: The entries, the default first, its fallback second.
        trial: What is on trial.
        prefix: What paths of entries lack to be paths of the disk that GRUB sees.
        timeout_s: How long the menu waits.

    Raises:
        EntryInvalid: An entry has no kernel.
    """
    if len(entries) < 2:
        trial = trial._replace(fallback=None, on_trial=False)
    parts = [f"{_HEAD}set timeout={timeout_s}\n"]
    parts += [
        f"function ostrya_start_{index} {{\n{_start(entry, prefix)}}}\n"
        for index, entry in enumerate(entries)
    ]
    parts += [_once(trial), _decision(trial)]
    parts += [_menu_entry(index, entry, trial) for index, entry in enumerate(entries)]
    return "\n".join(part for part in parts if part)


_HEAD = f"""\
# Written from the boot entries beside it, and anew with every deployment.
if [ -z "$ostrya_dev" ]; then
  search --no-floppy --file --set=ostrya_dev /{STATE_FILE}
fi
set ostrya_id=
set ostrya_try=
set ostrya_end=
set ostrya_once=
set ostrya_why=
set ostrya_dirty=
set default=ostrya-0
if [ -n "$ostrya_dev" ]; then
  load_env -f {_FILE} {_NAMES}
fi
function ostrya_save {{
  if [ -z "$ostrya_dev" ]; then return 1; fi
  save_env -f {_FILE} {_NAMES}
}}
"""


def _once(trial: Trial) -> str:
    """Start what is to be started once, if it is here; in any case never again."""
    arms, word = "", "if"
    for at, identity in enumerate((trial.identity, trial.fallback)):
        if identity:
            arms += f"""\
    {word} [ "$ostrya_want" = "{identity}" ]; then
      set default=ostrya-{at}
      set ostrya_why={PICK}={Why.ONCE}
      set ostrya_done=1
"""
            word = "elif"
    return f"""\
set ostrya_done=
if [ -n "$ostrya_once" ]; then
  set ostrya_want="$ostrya_once"
  set ostrya_once=
  if ostrya_save; then
    true
{arms}{"    fi" if arms else ""}
  fi
fi
"""


def _decision(trial: Trial) -> str:
    """Choose, and write the record before anything is started."""
    if not trial.identity or trial.fallback is None:
        return ""
    text = f"""\
if [ -z "$ostrya_done" ]; then
  if [ "$ostrya_id" != "{trial.identity}" ]; then
    set ostrya_try=
    set ostrya_end=
  fi
  if [ "$ostrya_end" = "{End.OK}" ]; then
    true
  elif [ -n "$ostrya_end" ]; then
    set default=ostrya-1
    set ostrya_why={PICK}={Why.BAD}
"""
    if trial.on_trial:
        text += f"""\
  else
    set ostrya_id="{trial.identity}"
    if [ "$ostrya_try" = "{"x" * trial.most}" -o "$ostrya_try" = "{"x" * MOST_TRIES}" ]; then
      set ostrya_try=
      set ostrya_end={End.TRIES}
      set default=ostrya-1
      set ostrya_why={PICK}={Why.TRIES}
      ostrya_save
    else
      set ostrya_try="${{ostrya_try}}x"
      set ostrya_why={PICK}={Why.TRIAL}
      if ostrya_save; then true; else
        set default=ostrya-1
        set ostrya_why={PICK}={Why.UNWRITABLE}
      fi
    fi
"""
    return text + "  fi\nfi\n"


def _start(entry: Entry, prefix: str) -> str:
    """Load and start a deployment; a function that comes back has failed.

    Files are looked for first: a second kernel in the place of one that was loaded already gets no
    command line from GRUB 2.06 on EFI.
    """
    lines = start_lines(entry, prefix, "$ostrya_why")
    conditions = [f'[ -s "{path}" ]' for path in _files(entry, prefix)]
    text, indent = "", "  "
    for index, line in enumerate([*conditions, *lines]):
        if index == len(conditions) + 1:
            text += f"{indent}set ostrya_dirty=1\n"
        text += f"{indent}if {line}; then\n"
        indent += "  "
    text += f"{indent}boot\n"
    for depth in range(len(conditions) + len(lines), 0, -1):
        text += f"{'  ' * depth}fi\n"
    return text + "  return 1\n"


def _files(entry: Entry, prefix: str) -> list[str]:
    named = (entry.fields.get(key) for key in ("linux", "initrd", "devicetree"))
    found = [path for path in named if path is not None]
    return [f"{prefix}{path}" for path in (*found, *entry.overlay_initrds)]


def _menu_entry(index: int, entry: Entry, trial: Trial) -> str:
    """A menu entry; of the default and its fallback each goes on to the other."""
    text = f"menuentry {menu_title(entry)} --unrestricted --id ostrya-{index} {{\n"
    text += f'  echo "ostrya: deployment {index + 1} $ostrya_why"\n'
    text += f"  ostrya_start_{index}\n"
    if trial.fallback is None or index > 1:
        return f"{text}  sleep 3\n  reboot\n}}\n"
    if index == 0:
        if trial.identity:
            text += f'  set ostrya_id="{trial.identity}"\n  set ostrya_try=\n'
            text += f"  set ostrya_end={End.LOAD}\n  if ostrya_save; then\n"
            # What is noted is found at the next start.
            text += '    if [ -n "$ostrya_dirty" ]; then reboot; fi\n  fi\n'
        text += f"  set ostrya_why={PICK}={Why.LOAD}\n"
        text += '  echo "ostrya: deployment 2 $ostrya_why"\n  ostrya_start_1\n'
    text += f"  set ostrya_why={PICK}={Why.LAST}\n"
    text += '  echo "ostrya: deployment 1 $ostrya_why"\n  ostrya_start_0\n'
    return f"{text}  sleep 3\n  reboot\n}}\n"
