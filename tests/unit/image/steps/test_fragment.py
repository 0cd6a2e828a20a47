# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

from ostrya.image.steps.fragment import Wanted, format_script, format_tmpfiles

WANTED = [
    Wanted("d", "/var/rootdirs"),
    Wanted("d", "/var/roothome", 0o700),
    Wanted("L", "/var/lib/dpkg", target="../../usr/lib/sysimage/dpkg"),
    Wanted("C", "/var/lib/a thing"),
    Wanted("C", "/var/lib/100%"),
]


def test_for_systemd():
    assert format_tmpfiles(WANTED) == (
        "d /var/rootdirs 0755 root root -\n"
        "d /var/roothome 0700 root root -\n"
        "L /var/lib/dpkg - - - - ../../usr/lib/sysimage/dpkg\n"
        'C "/var/lib/a\\x20thing"\n'
        'C "/var/lib/100%%"\n'
    )


def test_the_script_makes_what_is_missing_and_nothing_else(tmp_path):
    """Run on paths below a directory: it has no others."""
    factory = tmp_path / "usr/share/factory"
    top = str(tmp_path)
    (factory / "var/lib/it's").mkdir(parents=True)
    (factory / "var/lib/it's/f").write_text("new")
    wanted = [
        Wanted("d", f"{top}/var/roothome", 0o700),
        Wanted("L", f"{top}/var/lib/dpkg", target="../x"),
        Wanted("C", "/var/lib/it's"),
    ]
    script = format_script(wanted).replace("/usr/share/factory$1", f"{factory}$1")
    script = script.replace("copy '", f"copy {top}'").replace(
        f"{factory}$1", f"{factory}${{1#{top}}}"
    )
    for _ in range(2):
        subprocess.run(["sh", "-eu", "-c", script, "x", "start"], check=True)
        assert (tmp_path / "var/roothome").stat().st_mode & 0o777 == 0o700
        assert os.readlink(tmp_path / "var/lib/dpkg") == "../x"
        copied = tmp_path / "var/lib/it's/f"
        assert copied.read_text() in {"new", "mine"}
        copied.write_text("mine")
    assert copied.read_text() == "mine"
    assert subprocess.run(["sh", "-c", script, "x", "stop"], check=False).returncode == 0


def test_a_script_that_any_shell_reads():
    subprocess.run(["sh", "-n"], input=format_script(WANTED).encode(), check=True)
