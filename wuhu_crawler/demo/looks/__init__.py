"""The page looks of the portal's eras by name.

A new one: a module here with a Look, its line in LOOKS, its share in world.NEWCOMERS.
"""

from __future__ import annotations

from .early import CELLS, SPAN, TABLE778
from .late import DIV2010, WIDE
from .middle import DLIST, O553, SIDEFIRST
from .onecell import ONECELL
from .page import Look, Page, slot

__all__ = ["LOOKS", "Look", "Page", "slot"]

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
