# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.customize import customize
from ostrya.image.errors import ConversionError
from ostrya.image.recipe.located import Where
from ostrya.image.recipe.values import ConvertWish, FileWish, Recipe, Services, System
from support.image_world import KVER, UNIT


def test_all_of_it_in_its_order(places):
    """A unit of an overlay can be enabled, what is dropped can be brought anew."""
    unit = "/usr/lib/systemd/system/own.service"
    recipe = Recipe(
        "r",
        convert=ConvertWish(drop=("/etc/skel", "/nowhere")),
        files=(FileWish(Where("r", 1), unit, UNIT.decode()),),
        system=System(hostname="box"),
        services=Services(("own.service",)),
    )
    said = customize(places.editor, KVER, recipe)
    assert said == ("dropped /etc/skel", f"put in {unit}", "host name box", "enabled own.service")
    assert places.exists("/etc/systemd/system/multi-user.target.wants/own.service")


def test_nothing_to_do_changes_nothing(places):
    assert customize(places.editor, KVER, Recipe("r")) == ()


def test_all_that_cannot_be_done_is_told_at_once(places):
    recipe = Recipe(
        "r",
        files=(FileWish(Where("r", 4), "/x", "", owner="nobody-here"),),
        system=System(timezone="Mars/North", locale="xx_XX.UTF-8", remove=("/nowhere",)),
        services=Services(("not-there.service",)),
    )
    with pytest.raises(ConversionError) as caught:
        customize(places.editor, KVER, recipe)
    said = "\n".join(caught.value.problems)
    for words in ("nobody-here", "Mars/North", "xx_XX", "/nowhere", "not-there.service"):
        assert words in said
    assert len(caught.value.problems) == 5
