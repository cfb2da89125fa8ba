"""The portal in English and Turkish: nothing untranslated, every count and every placeholder in its place."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from django.conf import settings
from django.utils.translation import gettext, ngettext, override

from text.amounts import count_text
from text.messages import (
    compiled_catalog,
    compiled_path,
    extract_messages,
    languages,
    read_catalog,
    translations,
    untranslated,
    update_catalog,
)

REMEDY = "Run 'python3 dev.py messages' and translate what it names in locale/"

every_language = pytest.mark.parametrize("language", languages())


def placeholders(sentence: str) -> list[str]:
    return sorted(set(re.findall(r"%\(\w+\)[a-z]|%[a-z%]", sentence)))


def forms(message: Message) -> list[str]:
    """The message itself: singular and plural, or the only form."""
    return [message.id] if isinstance(message.id, str) else [str(form) for form in message.id]


def test_every_language_but_that_of_the_sources_has_a_catalog() -> None:
    assert languages() == [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


@every_language
def test_every_sentence_of_the_sources_is_translated(language: str) -> None:
    catalog = read_catalog(language)
    update_catalog(catalog, extract_messages())

    assert untranslated(catalog) == [], REMEDY


@every_language
def test_catalog_holds_no_sentence_that_the_sources_lack(language: str) -> None:
    catalog, sources = read_catalog(language), extract_messages()

    left_over = [message.id for message in catalog if message.id and sources.get(message.id, message.context) is None]

    assert left_over == [], REMEDY


@every_language
def test_compiled_catalog_is_that_of_the_translations(language: str) -> None:
    assert compiled_path(language).read_bytes() == compiled_catalog(read_catalog(language)), REMEDY


@every_language
def test_translations_hold_the_placeholders_of_their_sentence(language: str) -> None:
    for message in read_catalog(language):
        if message.id:
            wanted = placeholders(forms(message)[-1])
            for translation in filter(None, translations(message)):
                assert placeholders(translation) == wanted, translation


@every_language
def test_translations_keep_space_and_line_ends_at_both_ends(language: str) -> None:
    for message in read_catalog(language):
        if message.id:
            for translation in translations(message):
                assert translation == translation.strip(), translation


def test_turkish_has_the_plurals_of_django_s_own_catalog() -> None:
    """Two catalogs whose plurals differ are kept apart by Django, and one of them decides for both."""
    catalog = read_catalog("tr")

    assert (catalog.num_plurals, catalog.plural_expr) == (2, "(n > 1)")


def test_no_turkish_label_gets_a_wrong_capital() -> None:
    """The admin begins a label with a capital as English has it: "isim" would become "Isim" instead of "İsim"."""
    for message in read_catalog("tr"):
        if message.id and forms(message)[0][0].islower():
            for translation in translations(message):
                assert not translation.startswith("i"), translation


@pytest.mark.parametrize(
    ("number", "english", "turkish"),
    [
        (0, "0 licenses", "0 lisans"),
        (1, "1 license", "1 lisans"),
        (2, "2 licenses", "2 lisans"),
        (1_000, "1,000 licenses", "1.000 lisans"),
    ],
)
def test_counts_of_licenses_read_right(number: int, english: str, turkish: str) -> None:
    said = {}

    for language in ("en", "tr"):
        with override(language):
            shown = {"count": count_text(number)}
            said[language] = ngettext("%(count)s license", "%(count)s licenses", number) % shown

    assert said == {"en": english, "tr": turkish}


@pytest.mark.parametrize(
    ("number", "english", "turkish"),
    [
        (0, "0 licenses are in stock.", "Stokta 0 lisans var."),
        (1, "1 license is in stock.", "Stokta 1 lisans var."),
        (2, "2 licenses are in stock.", "Stokta 2 lisans var."),
        (1_000, "1,000 licenses are in stock.", "Stokta 1.000 lisans var."),
    ],
)
def test_counts_in_stock_read_right(number: int, english: str, turkish: str) -> None:
    said = {}

    for language in ("en", "tr"):
        with override(language):
            shown = {"count": count_text(number)}
            said[language] = ngettext("%(count)s license is in stock.", "%(count)s licenses are in stock.", number)
            said[language] %= shown

    assert said == {"en": english, "tr": turkish}


def test_turkish_is_read_from_the_compiled_catalog() -> None:
    with override("tr"):
        assert gettext("Save and continue") == "Kaydet ve devam et"


def test_messages_are_found_in_sources_and_templates(tmp_path: Path) -> None:
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "views.py").write_text(
        "from django.utils.translation import gettext_lazy as _\n"
        'plain = _("Plain")\n'
        'joined = gettext("One half, "\n    "the other")\n'
        'counted = ngettext("%(n)s box", "%(n)s boxes", n)\n'
        'in_context = pgettext("month", "May")\n'
        'both = npgettext_lazy("paper", "%(n)s sheet", "%(n)s sheets", n)\n'
    )
    (tmp_path / "shop" / "migrations" / "0001_first.py").write_text('_("Not from here")\n')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text('_("Nor from here")\n')
    (tmp_path / "templates" / "shop").mkdir(parents=True)
    (tmp_path / "templates" / "shop" / "page.html").write_text(
        "<h1>{% translate 'Heading' %}</h1>\n"
        "      <p>{% translate 'Door' context 'house' %}</p>\n"
        "    {% blocktranslate count n=boxes|length trimmed %}\n"
        "        {{ n }} crate\n"
        "      {% plural %}\n"
        "        {{ n }} crates\n"
        "    {% endblocktranslate %}\n"
        "  {{ title|default:_('Untitled') }} {# {% translate 'Commented' %} #}\n"
    )

    found = {(message.id, message.context) for message in extract_messages(tmp_path) if message.id}

    assert found == {
        ("Plain", None),
        ("One half, the other", None),
        (("%(n)s box", "%(n)s boxes"), None),
        ("May", "month"),
        (("%(n)s sheet", "%(n)s sheets"), "paper"),
        ("Heading", None),
        ("Door", "house"),
        (("%(n)s crate", "%(n)s crates"), None),
        ("Untitled", None),
    }


def test_an_update_keeps_translations_and_guesses_none(tmp_path: Path) -> None:
    catalog = read_catalog("tr")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text('_("Licenses")\n_("Licences")\n')

    update_catalog(catalog, extract_messages(tmp_path))

    assert {message.id: translations(message) for message in catalog if message.id} == {
        "Licenses": ["Lisanslar"],
        "Licences": [""],
    }
    assert not any(message.fuzzy for message in catalog if message.id)
    assert untranslated(catalog) == ["Licences"]
