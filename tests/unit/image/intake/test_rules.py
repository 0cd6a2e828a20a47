# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.intake.rules import Keeping
from ostrya.tree.modifier import FileInfo


def test_what_the_kernel_fills_is_left_out_without_a_word():
    keep = Keeping()
    assert keep("/dev/null", FileInfo(0, 0, 0o020666)) is None
    assert keep("/run/x", FileInfo(0, 0, 0o100644)) is None
    assert keep("/dev", FileInfo(0, 0, 0o040755)) == FileInfo(0, 0, 0o040755)
    assert keep.left_out == []


def test_devices_elsewhere_are_told():
    keep = Keeping()
    assert keep("/var/x", FileInfo(0, 0, 0o010644)) is None
    assert keep("/usr/x", FileInfo(0, 0, 0o120777)) is not None
    assert keep.left_out == ["/var/x"]


@pytest.mark.parametrize("path", ["/a" * 201, "/" + "a" * 4097])
def test_paths_that_no_system_could_have(path):
    with pytest.raises(SourceError):
        Keeping()(path, FileInfo(0, 0, 0o100644))
