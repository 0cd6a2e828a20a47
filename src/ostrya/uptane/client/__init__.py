# SPDX-License-Identifier: Apache-2.0
"""The vehicle's side: what it keeps, asks, installs and tells.

::

    primary               one update cycle
      finishing           what was begun before it
      verifying           what both repositories agree on
      work, attempts      what there is to do; how often it is tried
      consent             whether somebody has to say yes
      preparing           metadata and images, for every ECU
      vehicle_manifest    what the Director is told
    installer             who puts an image in place: ostree_installer, binary_installer
    restart               restarts of the machine
    secondaries           the other ECUs
    server                who is asked; no I/O
    config, config_files  what the device is told
    state                 what is wrong just now

    /var/sota/sql.db     (0600)
      schema             which programs can use it
      facts              who the device is, the floor of time
      metadata, roots    what is trusted, by repository
      installs           what every ECU runs, ran, and is about to run
      results            what the Director has still to be told
      events             what the server has still to be told
      counters           of reports, that none can be sent again

SQLite, in the mode that waits for the disk most: a change is there as a whole or not at all, also
when the power fails. What belongs together is changed together: an installation and the event that
tells of it, a result and the end of an installation. A counter is used once it cannot be forgotten.
"""
