"""Rule 13: what a purchase does to what the account already has, in one sentence."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils.translation import override

from purchases.effect import effect_sentence
from purchases.models import PurchaseDraft
from tests.factories import LicenseFactory
from tests.purchases.orders import TODAY, an_order, quote_of
from tests.purchases.wizard import begin, words_of

pytestmark = pytest.mark.django_db

END_OF_MONTH = date(2026, 11, 30)


def hold(draft: PurchaseDraft, quantity: int, *, until: date) -> None:
    """Give the account licenses of the product that end on the day."""
    for _ in range(quantity):
        LicenseFactory(
            account=draft.account, product=draft.product, contract=draft.contract, starts_on=TODAY, ends_on=until
        )


def sentence(held: dict[date, int], *, quantity: int = 3, on: date = TODAY) -> str:
    draft = an_order(quantity=quantity)
    for until, number in held.items():
        hold(draft, number, until=until)
    return effect_sentence(quote_of(draft, on=on))


def test_guide_s_example() -> None:
    assert sentence({END_OF_MONTH: 10}) == (
        "With this, you'll be adding 3 licenses to the 10 existing ones; "
        "those 10 expire this month, on 30 November 2026."
    )


MARCH = date(2027, 3, 1)


@pytest.mark.parametrize(
    ("held", "quantity", "adding", "groups"),
    [
        ({}, 3, "3 licenses", "the account has none of this product yet"),
        ({}, 1, "1 license", "the account has none of this product yet"),
        (
            {END_OF_MONTH: 1},
            1,
            "1 license to the 1 existing one",
            "that 1 expires this month, on 30 November 2026",
        ),
        ({MARCH: 1}, 2, "2 licenses to the 1 existing one", "that 1 expires on 1 March 2027"),
        ({MARCH: 2}, 1_000, "1,000 licenses to the 2 existing ones", "those 2 expire on 1 March 2027"),
        (
            {END_OF_MONTH: 1, MARCH: 2},
            3,
            "3 licenses to the 3 existing ones",
            "1 expires this month, on 30 November 2026, 2 expire on 1 March 2027",
        ),
        (
            {END_OF_MONTH: 2, date(2027, 1, 1): 1, MARCH: 1},
            3,
            "3 licenses to the 4 existing ones",
            "2 expire this month, on 30 November 2026, 1 expires on 1 January 2027, 1 expires on 1 March 2027",
        ),
        (
            {END_OF_MONTH: 2, date(2027, 1, 1): 1, date(2027, 2, 1): 1, MARCH: 1},
            3,
            "3 licenses to the 5 existing ones",
            (
                "2 expire this month, on 30 November 2026, 1 expires on 1 January 2027, "
                "1 expires on 1 February 2027, 1 expires later, on 1 March 2027 at the latest"
            ),
        ),
        (
            {date(2027, month, 1): month for month in range(1, 6)},
            3,
            "3 licenses to the 15 existing ones",
            (
                "1 expires on 1 January 2027, 2 expire on 1 February 2027, 3 expire on 1 March 2027, "
                "9 expire later, on 1 May 2027 at the latest"
            ),
        ),
    ],
)
def test_sentence_reads_right_for_every_count_and_every_number_of_groups(
    held: dict[date, int], quantity: int, adding: str, groups: str
) -> None:
    assert sentence(held, quantity=quantity) == f"With this, you'll be adding {adding}; {groups}."


@pytest.mark.parametrize(
    ("until", "on", "is_said"),
    [
        (date(2026, 11, 24), TODAY, True),
        (date(2026, 11, 30), date(2026, 11, 30), True),
        (date(2026, 12, 1), TODAY, False),
        (date(2026, 12, 1), date(2026, 12, 1), True),
        (date(2027, 11, 30), TODAY, False),
    ],
)
def test_this_month_is_the_month_of_the_day_of_purchase(until: date, on: date, is_said: bool) -> None:
    assert ("expire this month" in sentence({until: 2}, on=on)) is is_said


def test_licenses_that_ended_yesterday_do_not_count() -> None:
    draft = an_order()
    LicenseFactory(
        account=draft.account,
        product=draft.product,
        contract=draft.contract,
        starts_on=TODAY - timedelta(days=9),
        ends_on=TODAY - timedelta(days=1),
    )

    assert "has none of this product yet" in effect_sentence(quote_of(draft))


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({}, "Bu satın almayla 3 lisans ekliyorsunuz; hesapta bu üründen henüz lisans yok."),
        (
            {END_OF_MONTH: 10},
            (
                "Bu satın almayla mevcut 10 lisansa 3 lisans ekliyorsunuz; "
                "o 10 lisansın süresi bu ay, 30 Kasım 2026 tarihinde doluyor."
            ),
        ),
        (
            {END_OF_MONTH: 1, MARCH: 2},
            (
                "Bu satın almayla mevcut 3 lisansa 3 lisans ekliyorsunuz; 1 lisansın süresi bu ay, "
                "30 Kasım 2026 tarihinde doluyor, 2 lisansın süresi 1 Mart 2027 tarihinde doluyor."
            ),
        ),
    ],
)
def test_sentence_in_turkish(held: dict[date, int], expected: str) -> None:
    with override("tr"):
        assert sentence(held) == expected


def test_this_month_agrees_with_the_day_in_istanbul_shortly_before_midnight_of_its_last_day() -> None:
    with time_machine.travel(datetime(2026, 11, 30, 20, 30, tzinfo=UTC), tick=False):
        wizard = begin(an_order())
        hold(wizard.draft, 2, until=END_OF_MONTH)
        before_midnight = words_of(wizard.get("preview_step"))
        expiring = words_of(wizard.client.get("/licenses/expiring/"))
    with time_machine.travel(datetime(2026, 11, 30, 21, 0, tzinfo=UTC), tick=False):
        after_midnight = words_of(wizard.get("preview_step"))
        expired = words_of(wizard.client.get("/licenses/expired/"))

    assert "those 2 expire this month, on 30 November 2026" in before_midnight
    assert "30 November 2026" in expiring or "30 Nov 2026" in expiring
    assert "has none of this product yet" in after_midnight
    assert "30 November 2026" in expired or "30 Nov 2026" in expired
