"""The second step: for which account?"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from purchases.models import PurchaseDraft
from tests.factories import AccountFactory, ContractFactory, PackageFactory, PurchaseFactory, UserFactory
from tests.purchases.orders import an_order
from tests.purchases.wizard import HTMX, Wizard, begin, chosen_on, offered_on, says, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

UNKNOWN = "There is no such account. Choose one of the list."


@pytest.fixture
def wizard() -> Wizard:
    """A wizard whose contract alone is chosen, of a reseller without accounts."""
    draft = an_order()
    PurchaseDraft.objects.update(account=None, product=None, quantity=None)
    Account.objects.all().delete()
    return begin(draft)


def account_of(wizard: Wizard, **facts: Any) -> Account:
    return AccountFactory(reseller=wizard.draft.reseller, **facts)


def keys(*accounts: Account) -> list[str]:
    return [str(account.pk) for account in accounts]


# What is offered


def test_accounts_are_offered_by_name_and_none_is_chosen_beforehand(wizard: Wizard) -> None:
    second, first = account_of(wizard, name="B"), account_of(wizard, name="A")

    page = wizard.get("account_step")

    assert offered_on(page) == keys(first, second)
    assert chosen_on(page) == []


def test_the_only_account_is_chosen_beforehand(wizard: Wizard) -> None:
    account = account_of(wizard, name="Hotel", reference="ACC-1", package=PackageFactory(name="Starter"))

    page = wizard.get("account_step")

    assert chosen_on(page) == keys(account)
    assert "Hotel ACC-1 Starter" in words_of(page)
    assert wizard.answers()["account"] is None


def test_accounts_that_the_buyer_bought_for_last_come_first(wizard: Wizard) -> None:
    never, long_ago, lately, by_others = (account_of(wizard, name=name) for name in "ABCD")
    now = timezone.now()
    for account, days in ((long_ago, 300), (lately, 2), (lately, 400)):
        PurchaseFactory(account=account, placed_by=wizard.draft.user, placed_at=now - timedelta(days=days))
    PurchaseFactory(account=by_others, placed_by=UserFactory(reseller=wizard.draft.reseller), placed_at=now)

    page = wizard.get("account_step")

    assert offered_on(page) == keys(lately, long_ago, never, by_others)
    assert "You last bought for it on 22 November 2026" in words_of(page)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_active": False}, "Hotel (ACC-1) is not active. Choose another account, or ask the operator."),
        (
            {"tier": "trial"},
            "Hotel (ACC-1) is on trial, and only paid accounts buy. Choose another one, or make it paid on its page.",
        ),
    ],
)
def test_account_that_cannot_buy_is_listed_with_the_reason(wizard: Wizard, facts: dict[str, Any], reason: str) -> None:
    account_of(wizard, name="Hotel", reference="ACC-1", **facts)

    page = wizard.get("account_step")

    assert offered_on(page) == []
    assert reason in words_of(page)
    assert "1 account that cannot buy under" in words_of(page)


def test_account_bound_elsewhere_is_listed_with_the_contract_it_is_bound_to(wizard: Wizard) -> None:
    account = account_of(wizard, name="Hotel", reference="ACC-1")
    ContractFactory(reseller=wizard.draft.reseller, number="C-9").exclusive_accounts.add(account)

    words = words_of(wizard.get("account_step"))

    assert (
        "Hotel (ACC-1) is bound to contract C-9 and buys only there. Choose that contract, or another account." in words
    )


def test_accounts_of_other_resellers_are_not_shown_at_all(wizard: Wizard) -> None:
    AccountFactory(name="Strangers")
    AccountFactory(name="Strangers", is_active=False)

    assert "Strangers" not in words_of(wizard.get("account_step"))


# What is sent


def test_account_is_saved(wizard: Wizard) -> None:
    account = account_of(wizard)

    assert wizard.goes_to(wizard.post("account_step", {"account": account.pk}), "product_step")
    assert wizard.answers()["account"] == account.pk


def test_missing_account_is_refused(wizard: Wizard) -> None:
    account_of(wizard)

    says(wizard.post("account_step"), "account", "Choose an account.")
    assert wizard.answers()["account"] is None


@pytest.mark.parametrize("key", ["999999", "0", "-1", "1.5", "x", "1e3", "٣", "1_0", "\0", "9" * 30, "9" * 5_000])
def test_account_that_does_not_exist_is_refused(wizard: Wizard, key: str) -> None:
    account_of(wizard)

    says(wizard.post("account_step", {"account": key}), "account", UNKNOWN)
    assert wizard.answers()["account"] is None


def test_account_key_that_is_no_text_is_refused(wizard: Wizard) -> None:
    account_of(wizard)

    says(wizard.post_bytes("account_step", "account=%ED%A0%80"), "account", UNKNOWN)


def test_account_of_another_reseller_is_refused_like_one_that_does_not_exist(wizard: Wizard) -> None:
    account_of(wizard)

    says(wizard.post("account_step", {"account": AccountFactory().pk}), "account", UNKNOWN)
    assert wizard.answers()["account"] is None


def test_account_that_a_rule_refuses_is_refused_with_its_reason(wizard: Wizard) -> None:
    account_of(wizard)
    trial = account_of(wizard, name="Hotel", reference="ACC-1", tier="trial")

    page = wizard.post("account_step", {"account": trial.pk})

    reason = "Hotel (ACC-1) is on trial, and only paid accounts buy. Choose another one, or make it paid on its page."
    says(page, "account", reason)
    assert wizard.answers()["account"] is None


# Many accounts


NAMES = ("İstanbul Oteli", "ISPARTA Oteli", "Şirket A.Ş.", "Yüzde 100% Otel", "Alt_Çizgi Otel", "AltXÇizgi Otel")


@pytest.fixture
def named(wizard: Wizard) -> Wizard:
    """The same with accounts whose names have letters and signs of all kinds."""
    for number, name in enumerate(NAMES):
        account_of(wizard, name=name, reference=f"R-{number:04}")
    return wizard


@pytest.fixture
def many(named: Wizard) -> Wizard:
    """The same with 5,000 accounts that can buy."""
    Account.objects.bulk_create(
        Account(reseller=named.draft.reseller, name=f"Müşteri {number:04}", reference=f"R-{number:04}")
        for number in range(len(NAMES), 5_000)
    )
    return named


def test_five_thousand_accounts_show_20_and_say_so(many: Wizard) -> None:
    page = many.get("account_step")

    assert len(offered_on(page)) == 20
    assert "Showing 20 of 5,000" in words_of(page)
    assert chosen_on(page) == []


def test_number_of_accounts_is_written_as_the_language_does(many: Wizard) -> None:
    many.client.cookies["django_language"] = "tr"

    assert "5.000" in words_of(many.get("account_step"))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("istanbul", "İstanbul Oteli"),
        ("İSTANBUL", "İstanbul Oteli"),
        ("ISTANBUL", "İstanbul Oteli"),
        ("ıstanbul", "İstanbul Oteli"),
        ("  istanbul   OTELİ ", "İstanbul Oteli"),
        ("ısparta", "ISPARTA Oteli"),
        ("sirket", "Şirket A.Ş."),
        ("ŞİRKET", "Şirket A.Ş."),
        ("şirket a.ş", "Şirket A.Ş."),
        ("r-0003", "Yüzde 100% Otel"),
        ("%", "Yüzde 100% Otel"),
        ("100%", "Yüzde 100% Otel"),
        ("alt_", "Alt_Çizgi Otel"),
        ("t_c", "Alt_Çizgi Otel"),
    ],
)
def test_search_finds_the_account(named: Wizard, query: str, name: str) -> None:
    page = named.get("account_step", {"q": query})

    assert offered_on(page) == keys(Account.objects.get(name=name))
    assert "Showing 1 of 1" in words_of(page)
    assert chosen_on(page) == []


@pytest.mark.parametrize("query", ["\\", "nobody", "' OR 1=1 --", "%%", "__"])
def test_search_that_finds_nothing_says_what_to_do(named: Wizard, query: str) -> None:
    page = named.get("account_step", {"q": query})

    assert offered_on(page) == []
    assert "Nothing that can be chosen matches. Try fewer or other words." in words_of(page)


@pytest.mark.parametrize("query", ["q=%00", "q=%ED%A0%80", "q=" + "x" * 9_000, "q=%F0%9F%98%80", "q=\u0301"])
def test_search_takes_whatever_is_typed(named: Wizard, query: str) -> None:
    assert named.client.get(f"{named.url('account_step')}?{query}").status_code == 200


def test_chosen_account_stays_pinned_on_top_of_a_search(many: Wizard) -> None:
    chosen = Account.objects.get(name="Müşteri 4000")
    PurchaseDraft.objects.update(account=chosen)

    everything, found = many.get("account_step"), many.get("account_step", {"q": "Müşteri 30"})

    assert offered_on(everything)[0] == str(chosen.pk)
    assert len(offered_on(everything)) == 20
    assert chosen_on(everything) == keys(chosen)
    assert offered_on(found)[0] == str(chosen.pk)
    assert chosen_on(found) == keys(chosen)
    assert "Showing 20 of 100" in words_of(found)


def test_account_that_is_ticked_but_not_saved_stays_pinned_while_searching(many: Wizard) -> None:
    ticked = Account.objects.get(name="Müşteri 4000")

    page = many.get("account_step", {"q": "istanbul", "account": ticked.pk}, headers=HTMX)

    assert page.text.strip().startswith('<div id="choices"')
    assert "<html" not in page.text
    assert offered_on(page) == keys(ticked, Account.objects.get(name="İstanbul Oteli"))
    assert chosen_on(page) == keys(ticked)


def test_wrong_answer_keeps_what_was_searched(named: Wizard) -> None:
    page = named.client.post(f"{named.url('account_step')}?q=istanbul", {})

    says(page, "account", "Choose an account.")
    assert 'value="istanbul"' in page.text
    assert offered_on(page) == keys(Account.objects.get(name="İstanbul Oteli"))


def test_accounts_that_cannot_buy_are_searched_too(many: Wizard) -> None:
    Account.objects.filter(name__startswith="Müşteri").update(tier="trial")

    everything, found = many.get("account_step"), many.get("account_step", {"q": "müşteri 1234"})

    assert "4,994 accounts that cannot buy" in words_of(everything)
    assert "Showing 20 of 4,994. Search to find the others." in words_of(everything)
    assert "Müşteri 1234 (R-1234) is on trial" in words_of(found)
    assert "1 account that cannot buy" in words_of(found)


@pytest.mark.parametrize("name", ["contract_step", "account_step"])
def test_htmx_request_for_no_part_gets_the_page(wizard: Wizard, name: str) -> None:
    account_of(wizard)

    page = wizard.client.get(f"{wizard.url(name)}?=1&x", headers=HTMX)

    assert page.status_code == 200
    assert "<html" in page.text
