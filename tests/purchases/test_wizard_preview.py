"""The fifth step: the preview, and the press of Buy."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from contracts.models import Contract, ContractProduct
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from purchases.services.rules import PurchaseRefused
from stock.services.take import Taking, take_stock
from tests.admin.others import held_elsewhere
from tests.factories import AccountFactory, LicenseFactory, ProductFactory, UserFactory
from tests.purchases.happenings import HAPPENINGS, Happening
from tests.purchases.orders import TODAY, a_line, an_order, nothing_is_written, stock_for
from tests.purchases.wizard import HTMX, NOON, begin, fingerprint_in, notices_on, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

OUTDATED = "Nothing was bought, because the order is no longer what you were shown."


# What is shown


def test_preview_shows_everything_that_is_bought() -> None:
    line = a_line(
        number="C-1",
        title="Frame",
        ends_on=date(2028, 12, 31),
        billing="annual",
        minimum_quantity=2,
        requires_po_number=True,
        conditions="No returns.\nPay within 30 days.",
        product=ProductFactory(name="Device", sku="DEV-1"),
    )
    account = AccountFactory(reseller=line.contract.reseller, name="Hotel", reference="ACC-1")
    wizard = begin(
        an_order(
            line=line,
            account=account,
            quantity=5,
            note="Lobby",
            po_number="4711",
            fulfilment=Fulfilment.STOCK_THEN_NEW,
        )
    )
    stock_for(wizard.draft, 2, use_by=date(2027, 1, 31), term_months=6)
    for _ in range(4):
        LicenseFactory(
            account=account, product=line.product, contract=line.contract, starts_on=TODAY, ends_on=date(2027, 2, 1)
        )

    page = wizard.get("preview_step")

    words = words_of(page).replace("\xa0", " ")
    for shown in (
        "Account Hotel (ACC-1)",
        "Contract C-1 Frame",
        "Product Device (DEV-1)",
        "Quantity 5 licenses",
        "Source 2 from stock, 3 new",
        "PO number 4711",
        "Order note Lobby",
        "From stock to be used by 31 January 2027 2 24 November 2026 23 May 2027 already paid",
        "New 3 24 November 2026 23 November 2027 100.00 EUR",
        "Existing 4 Added 5 After this order 9 Total 300.00 EUR",
        "With this, you'll be adding 5 licenses to the 4 existing ones; those 4 expire on 1 February 2027.",
        "Period From 1 January 2026 to 31 December 2028",
        "License term 12 months to the day",
        "Billing In EUR, each year in advance",
        "Minimum quantity 2 licenses a purchase",
        "PO number Needed for each purchase",
        "Conditions No returns. Pay within 30 days.",
        "Buy 5 licenses",
    ):
        assert shown in words
    assert "No returns.\nPay within 30 days." in page.text


def test_preview_of_licenses_from_stock_says_that_they_are_paid_for() -> None:
    wizard = begin(an_order(quantity=1, fulfilment=Fulfilment.STOCK))
    stock_for(wizard.draft, 5)

    words = words_of(wizard.get("preview_step"))

    assert "Source From stock (4 available in stock not used)" in words
    assert "Total Already paid" in words
    assert "Buy 1 license" in words
    assert "Buy 1 licenses" not in words


def test_where_stock_ends_on_another_day_than_a_new_license_both_days_stand_side_by_side() -> None:
    wizard = begin(an_order(quantity=3, fulfilment=Fulfilment.STOCK))
    stock_for(wizard.draft, 2, use_by=date(2027, 1, 31), term_months=6)
    stock_for(wizard.draft, 2, use_by=date(2027, 2, 28))

    words = words_of(wizard.get("preview_step"))

    assert "31 January 2027 2 24 November 2026 23 May 2027 a new one: 23 November 2027 already paid" in words
    assert "28 February 2027 1 24 November 2026 23 November 2027 already paid" in words


def test_preview_of_a_new_purchase_says_what_stays_in_stock() -> None:
    wizard = begin(an_order(fulfilment=Fulfilment.NEW))
    stock_for(wizard.draft, 5)

    assert "Source New purchase (5 available in stock not used)" in words_of(wizard.get("preview_step"))


def test_what_people_typed_is_shown_and_not_run() -> None:
    line = a_line(conditions="<script>alert(1)</script>")
    wizard = begin(an_order(line=line, note="<img src=x onerror=alert(1)>", po_number='"><b>'))

    page = wizard.get("preview_step")

    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert '"><b>' not in page.text
    assert "<img src=x onerror=alert(1)>" in page.text.replace("&lt;", "<").replace("&gt;", ">")


def test_preview_is_in_the_reader_s_language() -> None:
    wizard = begin(an_order(quantity=3))
    wizard.client.cookies["django_language"] = "tr"

    words = words_of(wizard.get("preview_step")).replace("\xa0", " ")

    assert "23 Kasım 2027" in words
    assert "300,00 EUR" in words
    assert "3 lisans satın al" in words


def test_pages_of_an_order_are_kept_by_no_cache() -> None:
    wizard = begin(an_order())

    assert "no-store" in wizard.get("preview_step").headers["Cache-Control"]
    assert "no-store" in wizard.buy("").headers["Cache-Control"]


# Buy


def test_buy_leads_to_the_purchase() -> None:
    wizard = begin(an_order(quantity=3))

    page = wizard.buy()

    purchase = Purchase.objects.get()
    assert (page.status_code, page.headers["Location"]) == (303, f"/purchases/{purchase.number}/")
    assert purchase.quantity == 3


def test_buy_pressed_again_leads_to_the_same_purchase() -> None:
    wizard = begin(an_order())
    shown = wizard.fingerprint()

    first, again, later = wizard.buy(shown), wizard.buy(shown), wizard.buy("")

    assert first.headers["Location"] == again.headers["Location"] == later.headers["Location"]
    assert (Purchase.objects.count(), License.objects.count()) == (1, 3)


def test_buy_pressed_again_before_the_answer_is_seen_says_once_that_the_order_was_placed() -> None:
    wizard = begin(an_order())
    shown = wizard.fingerprint()
    wizard.buy(shown)
    page = wizard.client.get(wizard.buy(shown).headers["Location"])

    assert notices_on(page) == ["Order placed."]


def test_htmx_is_led_to_the_purchase_as_a_whole_page() -> None:
    wizard = begin(an_order())

    page = wizard.buy(headers=HTMX)

    assert page.headers["HX-Redirect"] == f"/purchases/{Purchase.objects.get().number}/"
    assert "Location" not in page.headers


def test_licenses_start_on_the_day_it_is_in_the_reseller_s_time_zone() -> None:
    wizard = begin(an_order(quantity=1))

    with time_machine.travel(datetime(2026, 11, 24, 21, 30, tzinfo=UTC), tick=False):
        preview = words_of(wizard.get("preview_step"))
        wizard.buy()

    assert "25 November 2026 24 November 2027" in preview
    assert License.objects.get().starts_on == date(2026, 11, 25)


# What is outdated


def test_outdated_preview_is_shown_again_with_what_changed_and_then_buys() -> None:
    wizard = begin(an_order(quantity=3))
    shown = wizard.fingerprint()
    ContractProduct.objects.update(unit_price=Decimal("120.00"))

    with nothing_is_written():
        page = wizard.buy(shown)

    assert page.status_code == 409
    assert "<title>Error: " in page.text
    words = words_of(page).replace("\xa0", " ")
    assert OUTDATED in words
    assert "Unit price: was 100.00 EUR, is now 120.00 EUR" in words
    assert "Total: was 300.00 EUR, is now 360.00 EUR" in words
    assert wizard.buy(fingerprint_in(page)).status_code == 303
    assert Purchase.objects.get().total == Decimal("360.00")


def test_terms_that_changed_are_listed() -> None:
    wizard = begin(an_order())
    shown = wizard.fingerprint()
    Contract.objects.update(conditions="No returns.", term_months=24)

    words = words_of(wizard.buy(shown))

    assert "Conditions: was none, is now No returns." in words
    assert "License term: was 12 months to the day, is now 24 months to the day" in words


def test_midnight_in_the_reseller_s_time_zone_outdates_the_preview() -> None:
    wizard = begin(an_order())
    shown = wizard.fingerprint()

    with time_machine.travel(NOON + timedelta(hours=9, minutes=1), tick=False), nothing_is_written():
        page = wizard.buy(shown)

    assert page.status_code == 409
    assert (
        "License period: was 24 November 2026 – 23 November 2027, is now 25 November 2026 – 24 November 2027"
        in words_of(page)
    )


@pytest.mark.parametrize("body", ["", "fingerprint=", "fingerprint=x%3Ay", "fingerprint=%00", "fingerprint=%ED%A0%80"])
def test_missing_or_made_up_fingerprint_shows_the_preview_again(body: str) -> None:
    wizard = begin(an_order())

    with nothing_is_written():
        page = wizard.post_bytes("buy", body)

    assert page.status_code == 409
    assert OUTDATED in words_of(page)
    assert "Check the order as it is now. If you agree, press Buy again." in words_of(page)
    assert wizard.buy(fingerprint_in(page)).status_code == 303


def test_fingerprint_of_another_draft_shows_the_preview_again() -> None:
    wizard = begin(an_order())
    line = ContractProduct.objects.get()
    other = begin(an_order(line=line, account=wizard.draft.account, buyer=wizard.draft.user))

    with nothing_is_written():
        page = wizard.buy(other.fingerprint())

    assert page.status_code == 409


def test_htmx_gets_the_outdated_order_alone() -> None:
    wizard = begin(an_order())

    page = wizard.buy("", headers=HTMX)

    assert page.status_code == 409
    assert "<html" not in page.text
    assert page.text.strip().startswith('<div class="page-narrow space-y-4" id="order">')


# What is refused


ENDS_THE_SESSION = {"user disabled", "reseller disabled"}


@pytest.mark.parametrize(
    ("happening", "refusal"),
    [case for name, case in HAPPENINGS.items() if name not in ENDS_THE_SESSION],
    ids=[name for name in HAPPENINGS if name not in ENDS_THE_SESSION],
)
def test_order_that_a_rule_refuses_by_now_is_told_and_not_placed(
    happening: Happening, refusal: type[PurchaseRefused]
) -> None:
    wizard = begin(an_order())
    shown = wizard.fingerprint()
    happening(wizard.draft)

    with nothing_is_written():
        page = wizard.buy(shown)

    assert page.status_code == 409
    assert "<title>Error: " in page.text
    assert "Nothing was bought" in words_of(page)
    assert type(page.context["refusal"]) is refusal
    assert str(page.context["refusal"]) in words_of(page)


@pytest.mark.parametrize("name", sorted(ENDS_THE_SESSION))
def test_order_of_a_user_who_may_no_longer_sign_in_is_not_placed(name: str) -> None:
    wizard = begin(an_order())
    shown = wizard.fingerprint()
    HAPPENINGS[name][0](wizard.draft)

    with nothing_is_written():
        page = wizard.buy(shown)

    assert page.status_code == 302
    assert page.headers["Location"].startswith("/login/")


def test_refused_order_leads_to_the_step_where_it_can_be_mended() -> None:
    wizard = begin(an_order(fulfilment=Fulfilment.STOCK))
    lot = stock_for(wizard.draft, 3)
    shown = wizard.fingerprint()
    take_stock([Taking(lot, 3)], actor=UserFactory(), reference="P-1")

    with nothing_is_written():
        page = wizard.buy(shown)

    assert "Nothing is left in stock. Choose a new purchase, or come back later." in words_of(page)
    assert f'href="{wizard.url("stock_step")}"' in page.text


def test_htmx_gets_the_refusal_alone() -> None:
    wizard = begin(an_order(line=a_line(status="suspended")))

    page = wizard.buy("", headers=HTMX)

    assert page.status_code == 409
    assert "<html" not in page.text
    assert page.text.strip().startswith('<div class="page-narrow space-y-4" id="order">')


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("contract", "contract_step"),
        ("account", "account_step"),
        ("product", "product_step"),
        ("quantity", "quantity_step"),
    ],
)
def test_order_with_an_open_question_leads_to_it(name: str, step: str) -> None:
    wizard = begin(an_order())
    PurchaseDraft.objects.update(**{name: None})

    with nothing_is_written():
        page = wizard.buy("")

    assert page.status_code == 409
    assert f'href="{wizard.url(step)}"' in page.text


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_language_can_be_changed_on_a_page_that_answers_buy(status: str) -> None:
    wizard = begin(an_order(line=a_line(status=status)))
    page = wizard.buy("")
    assert page.status_code == 409

    sent = {"language": "tr", "next": page.context["here"]}
    in_turkish = wizard.client.post(
        reverse("set_language"), sent, follow=True, headers={"Referer": f"http://testserver{wizard.url('buy')}"}
    )

    assert f'name="next" value="{page.context["here"]}"' in page.text
    assert in_turkish.status_code == 200
    assert '<html lang="tr"' in in_turkish.text


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_order_that_has_to_wait_for_too_long_is_told_and_can_be_tried_again() -> None:
    line = a_line()
    wizard = begin(an_order(line=line))
    shown = wizard.fingerprint()

    with held_elsewhere(line.contract), nothing_is_written():
        page = wizard.buy(shown)

    assert page.status_code == 409
    assert "Somebody else is buying from the same contract or stock right now." in words_of(page)
    assert f'href="{wizard.url("preview_step")}"' in page.text
    assert wizard.buy(shown).status_code == 303
