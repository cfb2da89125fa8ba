"""Plain text as people may type it into a note: one kind of line end, nothing invisible or unreadable."""

import unicodedata

_LINE_END_AND_TAB = "\n\t"
_REPLACEMENT_CHARACTER = "\ufffd"  # what a web server makes of bytes that are no text
_DIRECTION_CONTROLS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # can show text in another order


class UnreadableText(ValueError):
    """The text holds characters that cannot be stored or would mislead its reader."""


def clean_text(written: str) -> str:
    """Return the text with single line ends and without space around it.

    Raises UnreadableText for NUL and other control characters, lone surrogates, the replacement
    character and characters that change the direction of writing.
    """
    lines = written.replace("\r\n", "\n").replace("\r", "\n")
    if any(_is_unreadable(character) for character in lines):
        raise UnreadableText
    stripped = lines.strip()
    return "" if all(unicodedata.category(character) in {"Cf", "Zs"} for character in stripped) else stripped


def _is_unreadable(character: str) -> bool:
    if character in _LINE_END_AND_TAB:
        return False
    return (
        character == _REPLACEMENT_CHARACTER
        or character in _DIRECTION_CONTROLS
        or unicodedata.category(character) in {"Cc", "Cs"}
    )
