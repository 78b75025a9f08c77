"""What is odd about a run, held against the runs before it. Pure: facts in, findings out; `standing` alone reads the database.

There is nothing to tune: every check measures how a portal varies by itself, and how much of an alarm a year it may cost.
Above it stands `report`, which stores what is found; it knows nothing of crawls and pages.
"""
