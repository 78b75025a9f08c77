"""Fixity: the archive read again and compared with everything that is known of it. Reads only; the lock is not needed.

`run` decides what is read and keeps the record of it, `shelf` compares files, manifest and database, `records` a file's records
with their rows, `tables` rows with rows. `findings` has the words for what is wrong.
"""
