# SPDX-License-Identifier: Apache-2.0
"""All that a recipe changes in a tree, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.customize.device_trees import set_up_device_trees
from ostrya.image.customize.first_boot import set_up_first_boot
from ostrya.image.customize.network_setup import set_up_network
from ostrya.image.customize.ota import set_up_ota
from ostrya.image.customize.overlays import lay_over, put_file
from ostrya.image.customize.places import Places
from ostrya.image.customize.program import install_program
from ostrya.image.customize.refusals import Refusals
from ostrya.image.customize.services import set_up_services
from ostrya.image.customize.splash import set_up_splash
from ostrya.image.customize.system import set_up_system
from ostrya.image.customize.updates import set_up_updates
from ostrya.image.customize.users import set_up_users

if TYPE_CHECKING:
    from ostrya.image.recipe.values import Recipe
    from ostrya.image.tree import TreeEditor


def customize(editor: TreeEditor, kver: str, recipe: Recipe) -> tuple[str, ...]:
    """Change a converted tree as a recipe says.

    Args:
        editor: The tree.
        kver: The version of its kernel.
        recipe: What is to be done.

    Returns:
        What was done, a sentence each.

    Raises:
        ImageError: Something of it cannot be done with this tree: all of that.
        OSError: A file that the recipe names cannot be read.
    """
    places = Places(editor, kver)
    said = [f"dropped {path}" for path in recipe.convert.drop if places.remove(path)]
    tell = said.append
    refusals = Refusals()
    # Who owns files has to be known for all that follows.
    accounts = set_up_users(places, recipe, tell)
    for overlay in recipe.overlays:
        with refusals.gather():
            lay_over(places, overlay, accounts, tell)
    for file in recipe.files:
        with refusals.gather():
            put_file(places, file, accounts, tell)
    set_up_system(places, recipe.system, tell, refusals)
    with refusals.gather():
        set_up_network(places, recipe.network, tell)
    with refusals.gather():
        set_up_device_trees(places, recipe.device_tree, tell)
    with refusals.gather():
        set_up_splash(places, recipe.splash, tell)
    with refusals.gather():
        install_program(places, recipe.update.ostrya, tell)
    with refusals.gather():
        set_up_updates(places, recipe, tell)
    with refusals.gather():
        set_up_ota(places, recipe, tell)
    with refusals.gather():
        set_up_first_boot(places, recipe, tell)
    # Last: units may be in overlays.
    with refusals.gather():
        set_up_services(places, recipe.services, tell)
    refusals.raise_any()
    return tuple(said)
