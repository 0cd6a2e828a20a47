# SPDX-License-Identifier: Apache-2.0
"""libcurl: ``pycurl``, without the part of it that nobody here uses.

Newer pycurl is a package, which imports a helper for asyncio, which imports ``inspect``
and ``dataclasses``: as much time again as libcurl itself takes. Its compiled half is loaded by
itself, under its own name; whoever imports ``pycurl`` in the same process gets that very module.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import pycurl

__all__ = ("pycurl",)

_PACKAGE = "pycurl"
_COMPILED = "pycurl._pycurl"


def _load() -> ModuleType:
    if _PACKAGE not in sys.modules:
        from importlib.util import module_from_spec

        package = PathFinder.find_spec(_PACKAGE)
        folders = None if package is None else package.submodule_search_locations
        spec = None if folders is None else PathFinder.find_spec(_COMPILED, folders)
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[_COMPILED] = module
            return module
    from importlib import import_module

    return import_module(_PACKAGE)


if not TYPE_CHECKING:
    pycurl = _load()
