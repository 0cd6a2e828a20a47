# SPDX-License-Identifier: Apache-2.0
"""The decisions are tested in test_trial; here, that GRUB reads what is written."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ostrya.boot.backends.grub2_trial import make_stub, make_trial_cfg
from ostrya.boot.bls import Entry
from ostrya.boot.trial import Trial

IDS = ("a" * 12 + ".0-0000", "b" * 12 + ".0-0000")
ENTRY = Entry(
    {"title": "It's 1.0 (ostree:0)", "linux": "/k", "initrd": "/i", "options": 'a="b c" d;e'},
    ("/o",),
)


def test_what_a_deployment_loads():
    text = make_trial_cfg([ENTRY], Trial(IDS[0]), prefix="/boot", timeout_s=5)
    assert "if linux /boot/k a=\"b c\" 'd;e' $ostrya_why; then" in text
    assert "if initrd /boot/i /boot/o; then" in text
    for path in ("/boot/k", "/boot/i", "/boot/o"):
        assert f'if [ -s "{path}" ]; then' in text
    assert "set timeout=5" in text
    assert "ostrya-1" not in text


def test_a_third_is_there_by_hand():
    text = make_trial_cfg([ENTRY] * 3, Trial(*IDS, on_trial=True), prefix="")
    assert "--id ostrya-2" in text
    assert text.count("ostrya_start_2") == 2


@pytest.mark.peer
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    "trial", [Trial(), Trial(IDS[0]), Trial(*IDS), Trial(*IDS, on_trial=True), Trial("", IDS[1])]
)
def test_grub_reads_it(count, trial, tmp_path):
    tool = shutil.which("grub-script-check")
    assert tool, "grub-common is in tools/debian-packages.txt"
    for text in (
        make_trial_cfg([ENTRY] * count, trial, prefix="/boot"),
        make_stub("--label otaroot", console="serial\n"),
    ):
        (tmp_path / "grub.cfg").write_text(text)
        subprocess.run([tool, str(tmp_path / "grub.cfg")], check=True)
