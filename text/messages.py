"""The catalogs of translations: gathered from the sources, updated and compiled without gettext's tools.

    python -m text.messages

`locale/<language>/LC_MESSAGES/django.po` is what a translator edits, `django.mo` beside it what Django reads.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"

# Which arguments of which function are messages; "c" marks a context.
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
TRANSLATORS = ("Translators:",)
LINE_WIDTH = 110


def extract_messages(root: Path = ROOT) -> Catalog:
    """Return every translatable sentence of the Python packages and the templates in the folder, untranslated."""
    messages = Catalog()
    for path, source in _sources(root):
        name = path.relative_to(root).as_posix()
        for line, sentence, comments, context in extract("python", BytesIO(source.encode()), KEYWORDS, TRANSLATORS):
            messages.add(sentence, locations=[(name, line)], auto_comments=comments, context=context)
    return messages


def update_catalog(catalog: Catalog, messages: Catalog) -> None:
    """Give the catalog exactly these messages. Translations it has are kept, none is guessed."""
    catalog.update(messages, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()


def read_catalog(language: str) -> Catalog:
    """Return the language's catalog as its translator left it."""
    with _catalog_path(language).open("rb") as file:
        return read_po(file, locale=language)


def write_catalog(catalog: Catalog, language: str) -> None:
    """Write the language's catalog for its translator, with the file but not the line of each message."""
    with _catalog_path(language).open("wb") as file:
        write_po(file, catalog, width=LINE_WIDTH, sort_by_file=True, include_lineno=False)


def compiled_catalog(catalog: Catalog) -> bytes:
    """Return the catalog in the form that Django reads."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def compiled_path(language: str) -> Path:
    """Where Django looks for the language's catalog."""
    return _catalog_path(language).with_suffix(".mo")


def languages() -> list[str]:
    """The languages that have a catalog."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def untranslated(catalog: Catalog) -> list[str]:
    """The messages without a translation, or with a doubtful or only half of one."""
    return [str(message.id) for message in catalog if message.id and (message.fuzzy or not all(translations(message)))]


def translations(message: Message) -> list[str]:
    """The one translation of the message, or that of each plural form."""
    written = message.string
    return [str(form or "") for form in written] if isinstance(written, list | tuple) else [str(written or "")]


def main() -> int:
    """Bring every catalog up to date with the sources, compile it, and name what still lacks a translation."""
    messages = extract_messages()
    for language in languages():
        catalog = read_catalog(language)
        update_catalog(catalog, messages)
        write_catalog(catalog, language)
        compiled_path(language).write_bytes(compiled_catalog(catalog))
        missing = untranslated(catalog)
        sys.stdout.write(f"{language}: {len(messages)} messages, {len(missing)} without a translation\n")
        sys.stdout.writelines(f"  {sentence}\n" for sentence in missing)
    return 0


def _sources(root: Path) -> Iterator[tuple[Path, str]]:
    """The files that hold sentences, as Python source: templates are turned into it by Django."""
    packages = sorted(init.parent for init in root.glob("*/__init__.py") if init.parent.name != "tests")
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")
    for path in sorted((root / "templates").rglob("*")):
        if path.is_file():
            as_python = templatize(path.read_text(encoding="utf-8"), origin=str(path))
            # Python would ask for one indentation; a template has its own.
            yield path, "\n".join(line.strip() for line in as_python.splitlines())


def _catalog_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


if __name__ == "__main__":
    sys.exit(main())
