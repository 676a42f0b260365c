"""Whoever imports this is hidden from the other processes of its user: see `isolated.walls.hide`.

Its garbage collector rests, as it finds nothing while modules are imported; a child's begins with what comes after.
"""

import gc

from isolated import walls

walls.hide()
gc.disable()
