# SPDX-License-Identifier: Apache-2.0
import marshal
import subprocess
import sys

import pytest

from ostrya.image.customize.program import compile_module, find_python, install_program
from ostrya.image.errors import SourceError

FOLDER = "/usr/lib/python3/dist-packages"
OURS = f"/usr/lib/python3.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def without(places):
    places.remove("/usr/bin/ostrya")


def put_python(places, folder=FOLDER, version=OURS):
    places.write("/usr/bin/python3", "python")
    places.write(f"{version}/os.py", "")
    places.write(f"{folder}/pycurl.cpython-311-x86_64-linux-gnu.so", "")
    places.write(f"{folder}/cryptography/__init__.py", "")


def test_it_is_put_beside_debians_packages(places, said):
    put_python(places)
    install_program(places, "auto", said.append)
    assert places.read_text("/usr/bin/ostrya").startswith("#!/usr/bin/python3\n")
    assert places.link_target("/usr/bin/ostree") == "ostrya"
    assert places.is_file(f"{FOLDER}/ostrya/cli/start.py")
    assert places.is_file(f"{FOLDER}/ostrya/image/boards/qemu-arm.toml")
    tag = sys.implementation.cache_tag
    code = places.read(f"{FOLDER}/ostrya/cli/__pycache__/start.{tag}.pyc")
    assert marshal.loads(code[16:]).co_filename == f"{FOLDER}/ostrya/cli/start.py"
    names = [
        name for name in places.names(f"{FOLDER}/ostrya/delta") if name.endswith((".so", ".c"))
    ]
    assert names == []
    assert "compiled" in said[-1]


def test_another_python_compiles_by_itself(places, said):
    put_python(places, "/usr/lib/python3.98/site-packages", "/usr/lib/python3.98")
    install_program(places, "yes", said.append)
    folder = "/usr/lib/python3.98/site-packages/ostrya"
    assert places.is_file(f"{folder}/cli/start.py")
    assert not places.exists(f"{folder}/cli/__pycache__")
    assert "not compiled" in said[-1]
    assert find_python(places).version == (3, 98)


def test_what_is_there_stays(places, said):
    put_python(places)
    places.write("/usr/bin/ostree", "libostree's")
    install_program(places, "auto", said.append)
    assert not places.exists("/usr/bin/ostrya")
    assert "left updates to /usr/bin/ostree" in said[-1]
    install_program(places, "yes", said.append)
    assert places.read_text("/usr/bin/ostree") == "libostree's"
    places.write("/usr/bin/ostrya", "somebody's")
    install_program(places, "yes", said.append)
    assert places.read_text("/usr/bin/ostrya") == "somebody's"


def test_without_what_it_needs(places, said):
    install_program(places, "auto", said.append)
    assert said[-1].startswith("the device cannot update itself: the tree has no python3, pycurl")
    install_program(places, "no", said.append)
    assert len(said) == 1
    with pytest.raises(SourceError, match="lacks what Ostrya needs: python3") as caught:
        install_program(places, "yes", said.append)
    assert "python3-pycurl" in caught.value.hint
    put_python(places, version="/usr/lib/python3.9")
    with pytest.raises(SourceError, match=r"python3 of 3\.11 or newer"):
        install_program(places, "yes", said.append)


def test_compiled_python_is_always_the_same():
    """Whatever else the interpreter has seen; which numbers it hashes texts by does not matter."""
    program = """
import sys
from ostrya.image.customize.program import compile_module
source = b"x = 'a' in {'a', 'b', 'c'}; y = 'path'; f = lambda path: (path, 'y')"
sys.stdout.write(compile_module(source, "/x.py").hex())
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", before + program],
            env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed, before in (("1", ""), ("2", "path = 'path'; y = ['y', 'path'];"), ("3", ""))
    }  # fmt: skip
    assert len(found) == 1
    assert compile_module(b"x = 1\n", "/x.py")[4:8] == b"\x01\0\0\0"
