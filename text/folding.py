"""Folded text: what two writings of a name have in common when somebody searches for it."""

import unicodedata

# `"İ".lower()` is two characters and `"I".lower()` is not "ı": Turkish letters are folded by hand, first.
_TURKISH = str.maketrans("İIıŞşÇçĞğÖöÜü", "iiissccggoouu")


def fold(written: str) -> str:
    """Return the text as searches compare it: lower case, without accents, single spaces.

    "İSTANBUL", "Istanbul" and "istanbul" fold to the same text, as do "Şirket" and "sirket".
    """
    decomposed = unicodedata.normalize("NFKD", written.translate(_TURKISH))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.casefold().split())
