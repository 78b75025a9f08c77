"""The page looks of the portal's eras by name.

A new one: a module here with a Look, its line in LOOKS, its share in world.NEWCOMERS. REDESIGNS are what some of them become
while the portal lives (life.py).
"""

from __future__ import annotations

from .early import CELLS, SPAN, TABLE778
from .late import DIV2010, WIDE
from .middle import DLIST, O553, SIDEFIRST
from .onecell import ONECELL
from .page import Look, Page, slot
from .redesigns import O553_NEW, TABLE778_NEW

__all__ = ["LOOKS", "REDESIGNS", "Look", "Page", "look_of", "slot"]

LOOKS: dict[str, Look] = {
    "o553": O553,
    "table778": TABLE778,
    "cells": CELLS,
    "span": SPAN,
    "dlist": DLIST,
    "sidefirst": SIDEFIRST,
    "div2010": DIV2010,
    "wide": WIDE,
    "onecell": ONECELL,
}
# By the look they take the place of: other markup around the same words, so that no field of an article changes by it.
REDESIGNS: dict[str, tuple[str, Look]] = {"o553": ("o553-new", O553_NEW), "table778": ("table778-new", TABLE778_NEW)}
_ALL = {**LOOKS, **dict(REDESIGNS.values())}


def look_of(name: str) -> Look:
    """Return the look of that name, redesigned ones among them."""
    return _ALL[name]
