"""Records that stay: rows that say what happened are changed and deleted by nobody, however they are reached."""
