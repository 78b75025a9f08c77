"""WACZ: a collection, or a part of it, in one file that a browser can replay (specification 1.1.1). Reads the archive only.

`choice` says what goes in, `pack` writes the file, `pages` the list of pages in it, `check` reads such a file again.
"""
