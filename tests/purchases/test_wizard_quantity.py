"""The fourth step: how many, with what PO number and note?"""

from typing import Any

import pytest

from purchases.models import Fulfilment, PurchaseDraft
from tests.factories import LicenseFactory
from tests.purchases.orders import TODAY, a_line, an_order, nothing_is_written, stock_for
from tests.purchases.wizard import Wizard, begin, says, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

NO_WHOLE_NUMBER = "The quantity must be a whole number, like 3."
TOO_MANY = "One purchase holds at most 10,000 licenses. Enter 10,000 or fewer, and buy the rest afterwards."
UNREADABLE = "This holds characters that cannot be shown. Type it anew instead of pasting it."


def wizard_under(**terms: Any) -> Wizard:
    """A wizard whose quantity is still open, under a contract with the terms."""
    draft = an_order(line=a_line(number="C-1", **terms))
    PurchaseDraft.objects.update(quantity=None)
    return begin(draft)


# What is shown


def test_page_says_what_is_allowed_what_it_costs_and_what_there_is() -> None:
    wizard = wizard_under(minimum_quantity=5, maximum_quantity=1_500)
    stock_for(wizard.draft, 4)
    draft = wizard.draft
    for _ in range(2):
        LicenseFactory(account=draft.account, product=draft.product, contract=draft.contract, starts_on=TODAY)

    words = words_of(wizard.get("quantity_step")).replace("\xa0", " ")

    assert "From 5 to 1,500, at 100.00 EUR a new license." in words
    assert "2 on this account, 4 in stock" in words


@pytest.mark.parametrize(("requires_po_number", "label"), [(True, "PO number"), (False, "PO number (optional)")])
def test_page_says_whether_a_po_number_is_needed(requires_po_number: bool, label: str) -> None:
    page = wizard_under(requires_po_number=requires_po_number).get("quantity_step")

    assert f">{label}</label>" in page.text
    assert ("Contract C-1 needs the number of your purchase order." in words_of(page)) is requires_po_number


# What is saved


@pytest.mark.parametrize(("written", "quantity"), [("3", 3), (" 3 ", 3), ("007", 7), ("10000", 10_000)])
def test_quantity_is_saved(written: str, quantity: int) -> None:
    wizard = wizard_under()

    assert wizard.goes_to(wizard.post("quantity_step", {"quantity": written}), "preview_step")
    assert wizard.answers()["quantity"] == quantity


def test_note_and_po_number_are_saved_as_plain_text() -> None:
    wizard = wizard_under()
    note = "  First line\r\n\r\n<b>Şehir</b> & so on 🙂\t\r\n"

    wizard.post("quantity_step", {"quantity": "3", "note": note, "po_number": "  PO \t 4711 "})

    assert wizard.answers()["note"] == "First line\n\n<b>Şehir</b> & so on 🙂"
    assert wizard.answers()["po_number"] == "PO 4711"


def test_note_of_2000_characters_and_po_number_of_35_fit() -> None:
    wizard = wizard_under()
    note = "ş" * 1_998 + "\r\n" + "x"

    wizard.post("quantity_step", {"quantity": "3", "note": note, "po_number": "ş" * 35})

    assert len(wizard.answers()["note"]) == 2_000
    assert len(wizard.answers()["po_number"]) == 35


# What is refused


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "Enter how many licenses you need, like 3."),
        ("   ", "Enter how many licenses you need, like 3."),
        ("0", "The quantity must be at least 1 license. Enter 1 or more."),
        ("000", "The quantity must be at least 1 license. Enter 1 or more."),
        ("-1", NO_WHOLE_NUMBER),
        ("+1", NO_WHOLE_NUMBER),
        ("1.5", NO_WHOLE_NUMBER),
        ("1,5", NO_WHOLE_NUMBER),
        ("1e3", NO_WHOLE_NUMBER),
        ("٣", NO_WHOLE_NUMBER),
        ("1_0", NO_WHOLE_NUMBER),
        ("２", NO_WHOLE_NUMBER),
        ("²", NO_WHOLE_NUMBER),
        ("1 000", NO_WHOLE_NUMBER),
        ("0x10", NO_WHOLE_NUMBER),
        ("three", NO_WHOLE_NUMBER),
        ("3\0", NO_WHOLE_NUMBER),
        ("<script>", NO_WHOLE_NUMBER),
        ("10001", TOO_MANY),
        ("100000000000000000000", TOO_MANY),
        ("9" * 5_000, TOO_MANY),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_wrong_quantity_is_refused_and_kept(written: str, sentence: str) -> None:
    wizard = wizard_under()

    with nothing_is_written():
        page = wizard.post("quantity_step", {"quantity": written, "note": "Lobby", "po_number": "4711"})

    says(page, "quantity", sentence)
    assert page.context["form"]["quantity"].value() == written
    assert 'value="4711"' in page.text
    assert "Lobby</textarea>" in page.text
    assert (wizard.answers()["quantity"], wizard.answers()["note"]) == (None, "")


@pytest.mark.parametrize(
    ("terms", "written", "sentence"),
    [
        ({"minimum_quantity": 5}, "4", "The quantity must be at least 5 licenses. Enter 5 or more."),
        (
            {"maximum_quantity": 500},
            "501",
            "One purchase holds at most 500 licenses. Enter 500 or fewer, and buy the rest afterwards.",
        ),
    ],
)
def test_quantity_out_of_the_bounds_is_refused_and_kept(terms: dict[str, Any], written: str, sentence: str) -> None:
    wizard = wizard_under(**terms)

    page = wizard.post("quantity_step", {"quantity": written})

    says(page, "quantity", sentence)
    assert f'value="{written}"' in page.text
    assert wizard.answers()["quantity"] is None


def test_missing_quantity_of_a_form_that_was_tampered_with_is_refused() -> None:
    says(wizard_under().post("quantity_step", {}), "quantity", "Enter how many licenses you need, like 3.")


@pytest.mark.parametrize(
    ("terms", "written", "sentence"),
    [
        ({}, "N" * 36, "The PO number has 36 characters, and at most 35 fit. Shorten it."),
        ({}, "N" * 100_000, "The PO number has 100,000 characters, and at most 35 fit. Shorten it."),
        (
            {"requires_po_number": True},
            "",
            "Contract C-1 needs a PO number. Enter the number of your purchase order.",
        ),
        (
            {"requires_po_number": True},
            " \t ",
            "Contract C-1 needs a PO number. Enter the number of your purchase order.",
        ),
        (
            {"requires_po_number": True},
            "\u200b",
            "Contract C-1 needs a PO number. Enter the number of your purchase order.",
        ),
        ({}, "47\x0011", UNREADABLE),
        ({}, "47\x1b11", UNREADABLE),
        ({}, "47\u202e11", UNREADABLE),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_wrong_po_number_is_refused_and_kept(terms: dict[str, Any], written: str, sentence: str) -> None:
    wizard = wizard_under(**terms)

    page = wizard.post("quantity_step", {"quantity": "3", "po_number": written})

    says(page, "po_number", sentence)
    assert page.context["form"]["po_number"].value() == written
    assert 'value="3"' in page.text
    assert wizard.answers()["quantity"] is None


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("n" * 2_001, "The order note has 2,001 characters, and at most 2,000 fit. Shorten it."),
        ("n" * 100_000, "The order note has 100,000 characters, and at most 2,000 fit. Shorten it."),
        ("Lob\x00by", UNREADABLE),
        ("Lob\x07by", UNREADABLE),
        ("Lob\u2066by", UNREADABLE),
        ("Lob\ufffdby", UNREADABLE),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_wrong_note_is_refused_and_kept(written: str, sentence: str) -> None:
    wizard = wizard_under()

    page = wizard.post("quantity_step", {"quantity": "3", "note": written})

    says(page, "note", sentence)
    assert page.context["form"]["note"].value() == written
    assert (wizard.answers()["quantity"], wizard.answers()["note"]) == (None, "")


@pytest.mark.parametrize(
    ("field", "sentence"), [("quantity", NO_WHOLE_NUMBER), ("po_number", UNREADABLE), ("note", UNREADABLE)]
)
@pytest.mark.parametrize("sent", ["%ED%A0%80", "%FF%FE", "%C0%AF"])
def test_bytes_that_are_no_text_are_refused(field: str, sentence: str, sent: str) -> None:
    wizard = wizard_under()

    page = wizard.post_bytes(
        "quantity_step", f"quantity=3&{field}={sent}" if field != "quantity" else f"quantity={sent}"
    )

    says(page, field, sentence)
    assert wizard.answers()["quantity"] is None


def test_all_that_is_wrong_is_said_at_once() -> None:
    wizard = wizard_under(requires_po_number=True)

    page = wizard.post("quantity_step", {"quantity": "0", "note": "n" * 2_001})

    says(page, "quantity", "The quantity must be at least 1 license. Enter 1 or more.")
    says(page, "po_number", "Contract C-1 needs a PO number. Enter the number of your purchase order.")
    says(page, "note", "The order note has 2,001 characters, and at most 2,000 fit. Shorten it.")


def test_refused_answer_leaves_the_one_that_was_given_before() -> None:
    wizard = begin(an_order(quantity=3, note="Lobby"))
    before = wizard.answers()

    wizard.post("quantity_step", {"quantity": "x", "note": "Bar"})

    assert wizard.answers() == before


def test_sentences_are_in_the_reader_s_language() -> None:
    wizard = wizard_under(minimum_quantity=5)
    wizard.client.cookies["django_language"] = "tr"

    page = wizard.post("quantity_step", {"quantity": "4"})

    assert page.status_code == 422
    assert "<title>Hata: " in page.text
    assert "Adet en az 5 lisans olmalıdır." in words_of(page)


# On to the stock choice


def test_quantity_leads_to_the_stock_choice_where_there_is_stock() -> None:
    wizard = wizard_under()
    stock_for(wizard.draft, 1)

    assert wizard.goes_to(wizard.post("quantity_step", {"quantity": "3"}), "stock_step")


def test_quantity_that_the_chosen_stock_does_not_cover_asks_again_for_the_source() -> None:
    wizard = begin(an_order(quantity=3, fulfilment=Fulfilment.STOCK))
    stock_for(wizard.draft, 5)

    saved = wizard.post("quantity_step", {"quantity": "6"})

    assert wizard.goes_to(saved, "stock_step")
    assert "Quantity: 5 licenses are in stock. Choose where the licenses shall come from." in words_of(
        wizard.get("stock_step")
    )
