"""Codes that people read aloud and nobody can guess."""

import secrets

# Without 0/O, 1/I/L and U: no two characters look or, in a word, sound alike.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_code(*, groups: int, group_length: int) -> str:
    """Return groups of characters with dashes between them, 4.9 bits a character, from the system's randomness."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(group_length)) for _ in range(groups))
