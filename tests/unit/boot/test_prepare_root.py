# SPDX-License-Identifier: Apache-2.0
"""One table for the decision in Python and that of the shell script."""

from __future__ import annotations

import shutil
import subprocess
from typing import NamedTuple

import pytest

from ostrya.boot.errors import InitramfsError
from ostrya.boot.prepare_root import Composefs, RootPlan, plan_root
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from support.ramdisk_world import PREPARE_ROOT

PLAIN = RootPlan("/ostree/x", Composefs.NO, False, False, False, False)
SHELLS = [shell for shell in ("busybox", "dash", "bash") if shutil.which(shell)]


class Case(NamedTuple):
    """What is said, and what comes of it: a plan, or a reason why there is none."""

    kargs: str
    conf: str
    want: RootPlan | str
    repo: str = ""
    etc_conf: str = ""


CASES = {
    "nothing": Case("quiet ro", "", PLAIN._replace(link="")),
    "plain": Case("root=x ostree=/ostree/x quiet", "", PLAIN),
    "last counts": Case("ostree=/ostree/y ostree=/ostree/x", "", PLAIN),
    "for init": Case("ostree=/ostree/x -- ostree=/ostree/y", "", PLAIN),
    "slot": Case("androidboot.slot_suffix=_b", "", PLAIN._replace(link="/ostree/root.b")),
    "no slot": Case("androidboot.slot_suffix=_c", "", PLAIN._replace(link="")),
    "slot and link": Case("ostree=/ostree/x androidboot.slot_suffix=_b", "", PLAIN),
    "repository": Case("ostree=/ostree/x", "", PLAIN._replace(sysroot_readonly=True), "[core]\na=b\n\n[sysroot]\nreadonly=true\n"),
    "repository's other group": Case("ostree=/ostree/x", "", PLAIN, "[core]\nreadonly=true\n"),
    "conf before repository": Case("ostree=/ostree/x", "[sysroot]\nreadonly=false\n", PLAIN, "[sysroot]\nreadonly=true\n"),
    "etc before usr": Case("ostree=/ostree/x", "[sysroot]\nreadonly=true\n", PLAIN, "", "[sysroot]\nreadonly=false\n"),
    "both files": Case("ostree=/ostree/x", "[etc]\ntransient=1\n", PLAIN._replace(etc_transient=True, sysroot_readonly=True), "", "[sysroot]\nreadonly=1\n"),
    "blanks": Case("ostree=/ostree/x", "# of a board\n\n  [etc]  \n transient =  true \n", PLAIN._replace(etc_transient=True)),
    "no line feed": Case("ostree=/ostree/x", "[root]\ntransient=true", PLAIN._replace(root_transient=True)),
    "transient-ro": Case("ostree=/ostree/x", "[root]\ntransient-ro=true\n", PLAIN._replace(root_transient=True, root_transient_ro=True)),
    "composefs": Case("ostree=/ostree/x", "[composefs]\nenabled=yes\n", PLAIN._replace(composefs=Composefs.YES, sysroot_readonly=True)),
    "composefs rw": Case("ostree=/ostree/x", "[composefs]\nenabled=true\n[sysroot]\nreadonly=false\n", PLAIN._replace(composefs=Composefs.YES)),
    "composefs maybe": Case("ostree=/ostree/x", "[composefs]\nenabled=maybe\n", PLAIN._replace(composefs=Composefs.MAYBE)),
    "composefs karg": Case("ostree=/ostree/x ostree.prepare-root.composefs=0", "[composefs]\nenabled=yes\n", PLAIN),
    "others' keys": Case("ostree=/ostree/x", "[other]\ntransient=true\nreadonly=true\n", PLAIN),
    "signed": Case("ostree=/ostree/x", "[composefs]\nenabled=signed\n", "composefs.enabled=signed: this ramdisk cannot check images"),
    "verity": Case("ostree.prepare-root.composefs=verity", "", "composefs.enabled=verity: this ramdisk cannot check images"),
    "unknown": Case("ostree=/ostree/x", "[composefs]\nenabled=perhaps\n", "composefs.enabled=perhaps: unknown"),
    "no truth": Case("ostree=/ostree/x", "[etc]\ntransient=on\n", "etc.transient=on in prepare-root.conf is neither true nor false"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_plan(case):
    confs = [text for text in (case.conf, case.etc_conf) if text]
    if isinstance(case.want, str):
        with pytest.raises(InitramfsError) as caught:
            plan_root(case.kargs, confs=confs, repo_config=case.repo)
        assert str(caught.value) == case.want
    else:
        assert plan_root(case.kargs, confs=confs, repo_config=case.repo) == case.want


def shell(which: str, script: str, *, cwd: object = None) -> str:
    argv = ["busybox", "sh"] if which == "busybox" else [which]
    program = f"OSTRYA_SOURCED=1; . {PREPARE_ROOT}\n{script}"
    done = subprocess.run(
        [*argv, "-c", program], capture_output=True, text=True, check=False, cwd=cwd
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("which", SHELLS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_script_decides_the_same(case, which, tmp_path):
    for path, text in (
        ("conf/usr/lib/ostree/prepare-root.conf", case.conf),
        ("conf/etc/ostree/prepare-root.conf", case.etc_conf),
        ("disk/ostree/repo/config", case.repo),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        if text:
            (tmp_path / path).write_text(text)
    names = "composefs etc_transient root_transient root_transient_ro sysroot_readonly"
    said = shell(
        which,
        f"read_kargs '{case.kargs}'; read_settings disk conf; echo \"$karg_ostree\"\n"
        f'for name in {names}; do eval echo "\\$$name"; done',
        cwd=tmp_path,
    )
    if isinstance(case.want, str):
        assert said == f"ostrya: {case.want}\n"
        return
    link, composefs, *truths = said.splitlines()
    assert (link, composefs) == case.want[:2]
    assert [truth == "yes" for truth in truths] == list(case.want[2:])


NOTES = {
    "plain": {"backing-root-device-inode": Variant("(tt)", (65024, 2141267))},
    "large": {"backing-root-device-inode": Variant("(tt)", ((1 << 62) + 3, (1 << 40) - 1))},
    "all": {
        "backing-root-device-inode": Variant("(tt)", (1, 2)),
        "composefs": Variant("b", True),
        "root.transient": Variant("b", True),
        "root.transient-ro": Variant("b", True),
        "sysroot-ro": Variant("b", True),
        "transient-etc": Variant("s", "/run/ostree/transient-etc"),
    },
}


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("which", SHELLS)
@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_the_note_is_the_variant_that_others_read(note, which, order, tmp_path):
    script = f"byte_order={order}; gv_begin\n"
    for key, variant in note.items():
        value = variant.value if isinstance(variant.value, tuple) else (variant.value,)
        words = " ".join(str(one) for one in value)
        script += f"gv_entry {key} '{variant.type}' {words}\n"
    shell(which, f'{script}gv_end; printf "$gv_text" > note; echo $gv_length', cwd=tmp_path)
    data = (tmp_path / "note").read_bytes()
    assert decode_variant("a{sv}", data, byteorder=order) == VarDict.of(note)
    if order == "little":
        assert data == encode_variant("a{sv}", VarDict.of(note))
