# SPDX-License-Identifier: Apache-2.0
from ostrya.image.recipe.keys_device import DEVICE_KEYS


def test_networks_of_both_kinds():
    network = next(key for key in DEVICE_KEYS if key.name == "network")
    assert {"interfaces", "wifi"} <= {key.name for key in network.keys}
