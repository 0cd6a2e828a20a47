# SPDX-License-Identifier: Apache-2.0
"""GVariant, the serialisation that OSTree's metadata is written in.

::

    types.py       a type string, parsed: alignment, fixed size, depth
    vardict.py     Variant (a typed value) and VarDict (``a{sv}``)
    decode.py      bytes -> Python values, normal form checked
    encode.py      Python values -> the one normal form
    byteorder.py   swaps for the integers OSTree keeps in network order
    text.py        the text form that people read and type

Values: integers are ``int``, ``b`` is ``bool``, ``d`` is ``float``, ``s o g`` are ``str``, ``v`` is
``Variant``, ``ay`` is ``bytes``, other arrays, tuples and dict entries are ``tuple``, ``a{sv}`` is
``VarDict``, a maybe is ``None`` or its value (a maybe of a maybe: see ``types``).
"""
