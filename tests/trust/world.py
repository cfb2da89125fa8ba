"""Two resellers side by side, each with one row of everything, and the people who come to the portal.

Every text of a house holds its mark, so that a page of somebody else that shows any of it is found by the mark.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Account, User
from contracts.models import Contract
from products.models import Product
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from stock.models import StockLot
from tests.factories import (
    PASSWORD,
    AccountFactory,
    ContractGrantFactory,
    OperatorFactory,
    ResellerFactory,
    UserFactory,
)
from tests.purchases.orders import a_line, an_order, press_buy, quote_of, stock_for

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

HTMX = {"HX-Request": "true"}

UNKNOWN_DRAFT = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class House:
    """What a reseller has: an answered draft, a purchase from stock that can be given back, a rest of the lot."""

    mark: str
    buyer: User
    viewer: User
    contract: Contract
    account: Account
    trial_account: Account
    product: Product
    lot: StockLot
    draft: PurchaseDraft
    purchase: Purchase
    license: License


def a_house(mark: str, *, product: Product | None = None) -> House:
    reseller = ResellerFactory(name=f"Reseller {mark}", slug=mark)
    line = a_line(
        reseller=reseller, number=f"C-{mark}", title=f"Title {mark}", conditions=f"Conditions {mark}", product=product
    )
    buyer = UserFactory(reseller=reseller, email=f"buyer-{mark}@example.com", full_name=f"Buyer {mark}")
    ContractGrantFactory(contract=line.contract, user=buyer)
    account = AccountFactory(reseller=reseller, name=f"Account {mark}", reference=f"REF-{mark}")
    texts = {"note": f"Note {mark}", "po_number": f"PO-{mark}"}
    order: dict[str, Any] = {"line": line, "buyer": buyer, "account": account, **texts}
    bought = an_order(**order, quantity=2, fulfilment=Fulfilment.STOCK)
    lot = stock_for(bought, 5)
    purchase = press_buy(bought)
    return House(
        mark=mark,
        buyer=buyer,
        viewer=UserFactory(reseller=reseller, email=f"viewer-{mark}@example.com", full_name=f"Viewer {mark}"),
        contract=line.contract,
        account=account,
        trial_account=AccountFactory(
            reseller=reseller, name=f"Trial {mark}", reference=f"TRY-{mark}", tier=Account.Tier.TRIAL
        ),
        product=line.product,
        lot=lot,
        draft=an_order(**order, quantity=3, fulfilment=Fulfilment.NEW),
        purchase=purchase,
        license=purchase.licenses.earliest("pk"),
    )


def people(house: House, other: House) -> dict[str, Client]:
    """The browsers of everybody who may come, by role; those of the house first."""
    strangers = {
        "stray": UserFactory(reseller=None),
        "viewer": house.viewer,
        "buyer": house.buyer,
        "other": other.buyer,
        "disabled": UserFactory(reseller=house.buyer.reseller),
        "staff": OperatorFactory(is_superuser=False),
        "superuser": OperatorFactory(),
    }
    ContractGrantFactory(contract=house.contract, user=strangers["disabled"])
    browsers = {"anonymous": a_browser(None)} | {role: a_browser(user) for role, user in strangers.items()}
    User.objects.filter(pk=strangers["disabled"].pk).update(is_active=False)
    return browsers


def a_browser(user: User | None) -> Client:
    browser = Client(raise_request_exception=False)
    if user is not None:
        browser.force_login(user)
    return browser


def portal_addresses() -> list[str]:
    """The names of all addresses outside the admin, as the resolver knows them."""
    return sorted(_names(get_resolver().url_patterns))


def _names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    found = set()
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            found.add(pattern.name or str(pattern.pattern))
        elif pattern.namespace != "admin":
            found |= _names(pattern.url_patterns)
    return found


def arguments(name: str, house: House) -> dict[str, Any]:
    """What the address needs to name a row of the house."""
    match name:
        case "license":
            return {"key": house.license.key}
        case "purchase" | "give_back":
            return {"number": house.purchase.number}
        case "contract":
            return {"number": house.contract.number}
        case "stock_lot":
            return {"lot_id": house.lot.pk}
        case "account" | "edit_account" | "make_account_paid":
            return {"account_id": house.trial_account.pk}
        case "resume_draft" | "delete_draft" | "buy":
            return {"draft_id": house.draft.pk}
        case _ if name.endswith("_step"):
            return {"draft_id": house.draft.pk}
    return OF_NO_HOUSE.get(name, {})


OF_NO_HOUSE: dict[str, dict[str, Any]] = {
    "invitation": {"token": "unknown"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "made-up"},
    "mfa_edit_webauthn": {"pk": 987654321},
    "mfa_remove_webauthn": {"pk": 987654321},
}
"""What an address about signing in needs, which is of a person and not of a house."""

UNKNOWN: dict[str, Any] = {
    "key": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA",
    "number": "P-0000-0000",
    "lot_id": 987654321,
    "account_id": 987654321,
    "draft_id": UNKNOWN_DRAFT,
    "pk": 987654321,
    "token": "unknown",
    "uidb36": "0",
}
"""By the name of an argument, what names nothing."""


def address(name: str, house: House) -> str:
    return reverse(name, kwargs=arguments(name, house))


def form(name: str, house: House) -> dict[str, Any]:
    """What the house's buyer would send there, in good order."""
    forms: dict[str, dict[str, Any]] = {
        "set_theme": {"theme": "dark"},
        "set_language": {"language": "tr"},
        "login": {"username": house.buyer.email, "password": "not the password"},
        "account_login": {"username": house.buyer.email, "password": "not the password"},
        "account_reset_password": {"email": house.buyer.email},
        "account_reauthenticate": {"password": PASSWORD},
        "start_purchase": {"contract": house.contract.pk, "account": house.account.pk, "product": house.product.pk},
        "contract_step": {"contract": house.contract.pk},
        "account_step": {"account": house.account.pk},
        "product_step": {"product": house.product.pk},
        "quantity_step": {"quantity": 2, "note": "Ring twice", "po_number": "PO-2"},
        "stock_step": {"fulfilment": "stock"},
        "buy": {"fingerprint": quote_of(house.draft).fingerprint},
        "new_account": {"name": "Brand new", "reference": "NEW-1", "tier": "paid"},
        "edit_account": {"name": "Renamed"},
        "export_licenses": {"kind": "csv", "state": "active"},
        "export_stock_lots": {"kind": "csv"},
    }
    return forms.get(name, {})


def leads_to(page: "Page") -> str:
    """Where the answer sends the browser, whether htmx asked or not; empty if it stays."""
    return str(page.headers.get("HX-Redirect") or page.headers.get("Location") or "")


def outcome(page: "Page") -> str:
    """The answer as the table of expected ones writes it: the status, `login`, or `goes` for another page of ours."""
    to = leads_to(page)
    if not to:
        return str(page.status_code)
    assert to.startswith("/"), to
    assert not to.startswith("//"), to
    return "login" if to.startswith(("/login/", "/admin/login/")) else "goes"


def body_of(page: "Page") -> bytes:
    """All that is sent, streamed or not."""
    return b"".join(page) if page.streaming else page.content
