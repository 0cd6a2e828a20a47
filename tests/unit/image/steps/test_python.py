# SPDX-License-Identifier: Apache-2.0
from ostrya.image.steps.python import unbind_python


def test_compiled_files_are_unbound_once(editor, report):
    editor.write("usr/lib/x.pyc", b"\xa7\r\r\n" + bytes(4) + b"timesize" + b"code", 0o600)
    editor.link("usr/lib/y.pyc", "x.pyc")
    unbind_python(editor, report)
    assert editor.read("usr/lib/x.pyc")[4:8] == b"\x01\0\0\0"
    assert editor.header("usr/lib/x.pyc").mode == 0o100600
    unbind_python(editor, report)
    assert [one.code for one in report.decisions] == ["python.unbound"]
