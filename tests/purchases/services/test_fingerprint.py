"""Rule 10: the preview's fingerprint is of everything that binds, and each thing that changed since is named."""

from decimal import Decimal

import pytest
from django.utils.translation import override
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.models import Contract, ContractProduct
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services.fingerprint import Change, Values, changes_between, read_fingerprint, write_fingerprint
from stock.services.take import Taking, take_stock
from tests.factories import UserFactory
from tests.purchases.orders import TODAY, an_order, outdated, press_buy, quote_of, stock_for

# The same


@pytest.mark.django_db
def test_same_purchase_has_the_same_fingerprint() -> None:
    draft = an_order(note="Lobby", po_number="4711")
    stock_for(draft, 2)
    PurchaseDraft.objects.update(fulfilment=Fulfilment.STOCK_THEN_NEW)

    assert quote_of(draft).fingerprint == quote_of(draft).fingerprint


@pytest.mark.django_db
def test_fingerprint_does_not_hang_on_the_reader_s_language() -> None:
    draft = an_order()
    english = quote_of(draft).fingerprint

    with override("tr"):
        assert quote_of(draft).fingerprint == english


@pytest.mark.django_db
def test_what_others_take_from_stock_that_is_not_needed_changes_nothing() -> None:
    draft = an_order()
    stock_for(draft, 5, use_by=TODAY)
    lot = stock_for(draft, 5)
    PurchaseDraft.objects.update(fulfilment=Fulfilment.STOCK)
    shown = quote_of(draft).fingerprint

    take_stock([Taking(lot, 1)], actor=UserFactory(), reference="P-1")

    assert press_buy(draft, fingerprint=shown).quantity == 3


# Each change, in words


# Fingerprints that are not of this preview


@pytest.mark.django_db
@pytest.mark.parametrize("fingerprint", ["", "0", "made:up", "made.up:", "\0", "\ud800", "ş" * 9_000, "a" * 100_000])
def test_missing_or_made_up_fingerprint_buys_nothing(fingerprint: str) -> None:
    refused = outdated(an_order(), fingerprint)

    assert refused.changes == ()
    assert str(refused) == "Nothing was bought, because the order is no longer what you were shown."


@pytest.mark.django_db
def test_fingerprint_of_another_draft_buys_nothing() -> None:
    draft = an_order()
    same = an_order(line=ContractProduct.objects.get(), account=draft.account)

    assert outdated(draft, quote_of(same).fingerprint).changes == ()


@pytest.mark.django_db
def test_fingerprint_with_a_character_changed_buys_nothing() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint

    for place in (0, len(shown) // 2, len(shown) - 1):
        other = "A" if shown[place] != "A" else "B"
        assert outdated(draft, f"{shown[:place]}{other}{shown[place + 1 :]}").changes == ()


@pytest.mark.django_db
@pytest.mark.parametrize("missing", ["total", "terms.billing"])
def test_fingerprint_of_another_release_of_the_portal_buys_nothing(missing: str) -> None:
    draft = an_order()
    values = quote_of(draft).purchase_values()
    *path, name = missing.split(".")
    del (values[path[0]] if path else values)[name]

    assert outdated(draft, write_fingerprint(values, draft_id=draft.pk)).changes == ()


@pytest.mark.django_db
def test_outdated_preview_carries_the_quote_as_it_is_now() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    ContractProduct.objects.update(unit_price=Decimal("120.00"))

    refused = outdated(draft, shown)

    assert refused.quote.total == Decimal("360.00")
    assert press_buy(draft, fingerprint=refused.quote.fingerprint).total == Decimal("360.00")


# Long texts


@pytest.mark.django_db
@pytest.mark.parametrize("length", [200, 201, 2_000])
def test_change_at_the_end_of_a_long_note_is_found(length: int) -> None:
    draft = an_order(note="n" * length)
    shown = quote_of(draft).fingerprint

    PurchaseDraft.objects.update(note="n" * (length - 1) + "m")

    assert [change.label for change in outdated(draft, shown).changes] == ["Order note"]


@pytest.mark.django_db
def test_long_texts_are_shown_by_their_beginning() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint

    Contract.objects.update(conditions="a" * 200 + "b" * 5_000)

    assert outdated(draft, shown).changes == (Change("Conditions", "none", "a" * 200 + "…"),)


def with_texts(values: Values, *, note: str = "", conditions: str = "") -> Values:
    return {**values, "note": note, "terms": {**values["terms"], "conditions": conditions}}


@pytest.mark.django_db
def test_any_text_is_the_same_after_it_went_through_the_browser() -> None:
    draft = an_order()
    values = quote_of(draft).purchase_values()

    @given(note=st.text(max_size=400), conditions=st.text(max_size=400))
    @example(note="n" * 200, conditions="c" * 201)
    @example(note="…", conditions="\r\n")
    def comes_back(note: str, conditions: str) -> None:
        written = with_texts(values, note=note, conditions=conditions)

        shown = read_fingerprint(write_fingerprint(written, draft_id=draft.pk), draft_id=draft.pk)

        assert shown is not None
        assert changes_between(shown, written) == ()

    comes_back()


@pytest.mark.django_db
def test_any_two_texts_that_differ_are_told_apart() -> None:
    draft = an_order()
    values = quote_of(draft).purchase_values()

    @given(old=st.text(max_size=400), new=st.text(max_size=400))
    @example(old="a" * 201, new="a" * 200 + "b")
    @example(old="a" * 200, new="a" * 201)
    @example(old="", new="…")
    def are_told_apart(old: str, new: str) -> None:
        written = write_fingerprint(with_texts(values, note=old), draft_id=draft.pk)

        shown = read_fingerprint(written, draft_id=draft.pk)

        assert shown is not None
        assert bool(changes_between(shown, with_texts(values, note=new))) == (old != new)

    are_told_apart()
