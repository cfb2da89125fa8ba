"""Why a file that somebody sent in cannot be read."""

from django.utils.translation import gettext as _

from text.amounts import count_text


class UnreadableFile(Exception):
    """The sentence says what is wrong with the file and what to do."""


def too_many_columns(line: int, limit: int) -> UnreadableFile:
    return UnreadableFile(
        _("Line %(line)s has more than %(limit)s columns. Keep only those that are to be imported.")
        % {"line": count_text(line), "limit": limit}
    )


def damaged_workbook() -> UnreadableFile:
    return UnreadableFile(_("This workbook is damaged. Open it in your spreadsheet program and save it anew as .xlsx."))


def oversized_workbook() -> UnreadableFile:
    return UnreadableFile(
        _("This workbook holds far more than a list. Copy the rows into a new workbook, without pictures and formats.")
    )


def protected_workbook() -> UnreadableFile:
    return UnreadableFile(
        _(
            "This workbook is protected by a password, or was saved by an Excel before 2007. "
            "Save it as .xlsx without a password."
        )
    )
