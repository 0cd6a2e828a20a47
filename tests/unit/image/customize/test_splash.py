# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.splash import set_up_splash
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Splash
from support.image_world import directory

PNG = b"\x89PNG\r\n\x1a\n..."


def test_a_theme_shows_the_picture(tree, said, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    places = tree(usr__share__plymouth__themes=directory())
    set_up_splash(places, Splash(str(tmp_path / "a.png"), "#ff0080"), said.append)
    folder = "/usr/share/plymouth/themes/recipe"
    assert places.read(f"{folder}/image.png") == PNG
    assert "(1.000, 0.000, 0.502)" in places.read_text(f"{folder}/recipe.script")
    assert "Theme=recipe\n" in places.read_text("/etc/plymouth/plymouthd.conf")


def test_what_cannot_be_shown(places, said, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    with pytest.raises(SourceError, match="needs Plymouth, which the tree does not have"):
        set_up_splash(places, Splash(str(tmp_path / "a.png")), said.append)
    (tmp_path / "b.png").write_bytes(b"GIF")
    with pytest.raises(SourceError, match=r"b\.png is no PNG"):
        set_up_splash(places, Splash(str(tmp_path / "b.png")), said.append)
    set_up_splash(places, Splash(), said.append)
