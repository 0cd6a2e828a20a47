# SPDX-License-Identifier: Apache-2.0
"""Our layer for Yocto, parsed by BitBake itself with as much of a core layer as it asks for.

BitBake's own modules come from PyPI's ``bitbake-setup``; they run in a process of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

LAYER = Path(__file__).resolve().parent.parent.parent / "yocto/meta-ostrya"
RECIPE = LAYER / "recipes-support/ostrya/ostrya_0.1.0.bb"
_CORE_LAYER = """\
BBPATH .= ":${LAYERDIR}"
BBFILES += "${LAYERDIR}/recipes-*/*/*.bb"
BBFILE_COLLECTIONS += "core"
BBFILE_PATTERN_core = "^${LAYERDIR}/"
BBFILE_PRIORITY_core = "5"
LAYERVERSION_core = "15"
LAYERSERIES_CORENAMES = "scarthgap"
LAYERSERIES_COMPAT_core = "scarthgap"
"""
# What oe-core has of these, as far as our layer looks at it.
_CONFIGURATION = """\
PN = "${@bb.parse.vars_from_file(d.getVar('FILE', False), d)[0] or 'defaultpkgname'}"
PV = "${@bb.parse.vars_from_file(d.getVar('FILE', False), d)[1] or '1.0'}"
PF = "${PN}-${PV}"
TMPDIR = "${TOPDIR}/tmp"
CACHE = "${TMPDIR}/cache"
PERSISTENT_DIR = "${CACHE}"
WORKDIR = "${TMPDIR}/work/${PN}"
D = "${WORKDIR}/image"
bindir = "/usr/bin"
DEPLOY_DIR_IMAGE = "${TMPDIR}/deploy/images/${MACHINE}"
IMGDEPLOYDIR = "${WORKDIR}/deploy"
IMAGE_BASENAME = "${PN}"
IMAGE_NAME = "${IMAGE_BASENAME}-${MACHINE}-1"
REPRODUCIBLE_TIMESTAMP_ROOTFS = "1700000000"
DISTRO_VERSION = "5.0"
MACHINE = "qemuarm64"
OVERRIDES = "class-target:${MACHINE}"
include conf/local.conf
"""
_CLASSES = ("classes/base", "classes-recipe/native", "classes-recipe/nativesdk",
            "classes-recipe/python_hatchling", "classes-recipe/externalsrc")  # fmt: skip
_PROGRAM = r"""
import json, os, sys, types

# Servers that building asks and parsing does not; the package has them not.
for name in ("hashserv", "hashserv.client", "prserv", "prserv.serv"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["hashserv"].client = sys.modules["hashserv.client"]
sys.modules["prserv"].serv = sys.modules["prserv.serv"]
import bb, bb.cookerdata, bb.cooker, bb.utils

wanted = json.load(sys.stdin)
configuration = bb.cookerdata.CookerConfiguration()
configuration.env = dict(os.environ)
builder = bb.cookerdata.CookerDataBuilder(configuration, False)
builder.parseBaseConfiguration(worker=True)
recipe = builder.parseRecipe(wanted["file"], [], "core")
found = {name: recipe.getVar(name) for name in wanted["variables"]}
found |= {f"{name}[{key}]": recipe.getVarFlag(name, key) for name, key in wanted["flags"]}
found |= {text: bb.utils.better_eval(text, {"d": recipe}) for text in wanted["expressions"]}
json.dump(found, sys.stdout)
"""


def missing() -> str:
    """Empty if BitBake is here, else why not."""
    return "" if find_spec("bb") is not None else "bitbake-setup is not installed"


def make_build(top: Path, local: str) -> Path:
    """Make a build directory with a core layer beside it.

    Args:
        top: An empty directory.
        local: What ``local.conf`` says.

    Returns:
        The recipe of an image that has the class of ours.
    """
    core, build = top / "core", top / "build"
    files = {
        core / "conf/layer.conf": _CORE_LAYER,
        core / "conf/bitbake.conf": _CONFIGURATION,
        **{core / f"{name}.bbclass": "" for name in _CLASSES},
        build / "conf/bblayers.conf": f'BBPATH = "${{TOPDIR}}"\nBBLAYERS = "{core} {LAYER}"\n',
        build / "conf/local.conf": local,
        core / "recipes-core/images/core-image-small_1.0.bb": "inherit image_types_ostrya\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return core / "recipes-core/images/core-image-small_1.0.bb"


def parse(
    top: Path,
    file: Path | str,
    *,
    variables: tuple[str, ...] = (),
    flags: tuple[tuple[str, str], ...] = (),
    expressions: tuple[str, ...] = (),
) -> dict[str, str]:
    """Have BitBake parse a recipe, and return what it says of it.

    Raises:
        AssertionError: It does not like it.
    """
    wanted = {"file": str(file), "variables": variables, "flags": flags, "expressions": expressions}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=json.dumps(wanted), cwd=top / "build", text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, str] = json.loads(done.stdout)
    return found
