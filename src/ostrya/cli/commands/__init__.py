# SPDX-License-Identifier: Apache-2.0
"""One module per verb: ``PARAMETERS``, ``OPTIONS``, and ``run(arguments, context)``."""
