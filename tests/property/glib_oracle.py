# SPDX-License-Identifier: Apache-2.0
"""GLib's answers, one JSON line for each JSON line asked. Run by a Python that has gi."""

import json
import sys

from gi.repository import GLib


def variant(type_string, encoded):
    data = GLib.Bytes(bytes.fromhex(encoded))
    return GLib.Variant.new_from_bytes(GLib.VariantType(type_string), data, False)


def normal(type_string, encoded):
    return variant(type_string, encoded).is_normal_form()


def shown(type_string, encoded):
    found = variant(type_string, encoded)
    return [found.print_(True), found.print_(False)]


def parsed(text):
    try:
        found = GLib.Variant.parse(None, text, None, None)
    except GLib.Error as exc:
        return {"error": exc.message}
    if found is None:
        return {"error": "none"}
    return {"type": found.get_type_string(), "text": found.print_(True)}


def dict_order(keys):
    entries = GLib.VariantDict.new(None)
    for key in keys:
        entries.insert_value(key, GLib.Variant("b", True))
    found = entries.end()
    children = (found.get_child_value(n) for n in range(found.n_children()))
    return [child.get_child_value(0).get_string() for child in children]


def key_file(text):
    found = GLib.KeyFile()
    try:
        found.load_from_data(text, len(text.encode()), GLib.KeyFileFlags.KEEP_TRANSLATIONS)
        return {"text": found.to_data()[0]}
    except GLib.Error as exc:
        return {"error": exc.message}


if __name__ == "__main__":
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(globals()[name](*arguments)), flush=True)
