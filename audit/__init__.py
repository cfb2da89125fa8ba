"""The log of who did what, on what, from where and when: one row per act, never changed."""
