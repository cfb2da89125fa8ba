"""The apostrophe before text that a spreadsheet would take for a formula."""

from listing.tables import FORMULA_SIGNS

_MARK = "'"


def with_mark(text: str) -> str:
    """The text as a file without types has it. One that begins with marks gets one more, so that it can be told."""
    return f"{_MARK}{text}" if _looks_like_formula(text) else text


def without_mark(text: str) -> str:
    """The text that was marked: what `with_mark` was given."""
    return text[1:] if text.startswith(_MARK) and _looks_like_formula(text) else text


def _looks_like_formula(text: str) -> bool:
    return text.lstrip(_MARK).startswith(FORMULA_SIGNS)
