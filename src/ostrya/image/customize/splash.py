# SPDX-License-Identifier: Apache-2.0
"""A picture while the system starts, shown by Plymouth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import Places
    from ostrya.image.recipe.values import Splash

KARGS = ("quiet", "splash")
_THEMES = "/usr/share/plymouth/themes"
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = 32 << 20
_NAME = "recipe"


def set_up_splash(places: Places, splash: Splash, tell: Callable[[str], None]) -> None:
    """Make a theme of Plymouth's with the picture in the middle, and choose it.

    Raises:
        SourceError: The tree has no Plymouth, or the file is no PNG.
        OSError: The file cannot be read.
    """
    if not splash.image:
        return
    with open(splash.image, "rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if not data.startswith(_PNG) or len(data) > _MAX_BYTES:
        raise SourceError(f"splash.image: {splash.image} is no PNG")
    if not places.is_dir(_THEMES):
        raise SourceError(
            "splash.image needs Plymouth, which the tree does not have",
            hint="in Debian it is in plymouth and plymouth-themes",
        )
    folder = f"{_THEMES}/{_NAME}"
    places.write(f"{folder}/image.png", data)
    places.write(f"{folder}/{_NAME}.script", _script(splash.background))
    places.write(
        f"{folder}/{_NAME}.plymouth",
        "[Plymouth Theme]\nName=Recipe\nDescription=The picture of the recipe\nModuleName=script\n"
        f"\n[script]\nImageDir={folder}\nScriptFile={folder}/{_NAME}.script\n",
    )
    places.write("/etc/plymouth/plymouthd.conf", f"[Daemon]\nTheme={_NAME}\nShowDelay=0\n")
    tell("a picture is shown while it starts")


def _script(background: str) -> str:
    parts = [int(background[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    colour = ", ".join(f"{part:.3f}" for part in parts)
    return (
        f"Window.SetBackgroundTopColor({colour});\n"
        f"Window.SetBackgroundBottomColor({colour});\n"
        'picture.image = Image("image.png");\n'
        "picture.sprite = Sprite(picture.image);\n"
        "picture.sprite.SetX(Window.GetWidth() / 2 - picture.image.GetWidth() / 2);\n"
        "picture.sprite.SetY(Window.GetHeight() / 2 - picture.image.GetHeight() / 2);\n"
    )
