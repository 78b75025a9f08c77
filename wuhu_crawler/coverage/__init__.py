"""What an archive has of a portal's articles, and what it knows it does not have.

    space     the article numbers, cut into rows and cells
    numbers   questions to the database: how many of each stretch are captured, missing, ...
    months    to which month numbers belong that nobody has seen
    rhythm    days without articles and categories gone quiet, judged by the portal's own habit
    survey    all of it together
    picture   the same as SVG

Reads only, makes no request. The database counts: no list of numbers is held here, however many there are.
"""

from .picture import picture
from .survey import Survey, survey

__all__ = ["Survey", "picture", "survey"]
