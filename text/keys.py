"""Primary keys as they come in addresses and forms."""

LONGEST_KEY = 18
"""The most digits of a number that every database can compare with a primary key."""


def may_be_key(written: str) -> bool:
    """Whether the text can be looked up as a primary key at all."""
    return written.isascii() and written.isdecimal() and len(written) <= LONGEST_KEY


def key_written(written: str) -> int | None:
    """The primary key that the text is; None if it can be none."""
    return int(written) if may_be_key(written) else None
