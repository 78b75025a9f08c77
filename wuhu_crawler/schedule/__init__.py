"""Jobs on a schedule: the collection file, what is due when, and the daemon that starts it. A job is a process of its own."""
