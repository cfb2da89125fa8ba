"""The rules of buying (docs/domain.md, rules 1 to 8): each stands here once and is refused by name.

They look at rows that somebody else has read, so that the same rule judges a choice in the wizard, a
preview, and the purchase under its locks.
"""

from datetime import date
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, User
from contracts.models import QUANTITY_LIMIT, Contract, ContractProduct
from contracts.services.serving import Serving
from products.models import Product
from purchases.models import NOTE_LIMIT, PO_NUMBER_LIMIT, Fulfilment
from text.amounts import count_text, day_text


class PurchaseRefused(Exception):
    """A rule says no, and nothing was written. Its text is a sentence that the reseller can act on.

    `code` names the refusal for programs, `answer` the draft's field that has to change.
    """

    code: ClassVar[str]
    answer: str


class ContractNotActive(PurchaseRefused):
    """Rule 1: the contract is not active, or today is not within its period."""

    code = "contract_not_active"
    answer = "contract"


def check_contract_active(contract: Contract, *, on: date) -> None:
    """Raise ContractNotActive unless licenses may be bought under the contract on the day (rule 1)."""
    number = {"contract": contract.number}
    match contract.status:
        case Contract.Status.SUSPENDED:
            raise ContractNotActive(_("Contract %(contract)s is suspended. Ask the operator.") % number)
        case Contract.Status.CLOSED:
            raise ContractNotActive(_("Contract %(contract)s is closed. Choose another contract.") % number)
        case Contract.Status.DRAFT:
            raise ContractNotActive(_("Contract %(contract)s is not in force yet. Ask the operator.") % number)
    if contract.ends_on is not None and contract.ends_on < on:
        raise ContractNotActive(
            _("Contract %(contract)s ended on %(day)s. Choose another contract.")
            % {**number, "day": day_text(contract.ends_on)}
        )
    if contract.starts_on > on:
        raise ContractNotActive(
            _("Contract %(contract)s begins on %(day)s. Choose another contract, or come back then.")
            % {**number, "day": day_text(contract.starts_on)}
        )


class PermissionMissing(PurchaseRefused):
    """Rule 2: the user may not create licenses under the contract."""

    code = "permission_missing"
    answer = "contract"


def check_permission(contract: Contract, *, buyer: User, is_granted: bool) -> None:
    """Raise PermissionMissing unless the buyer may create licenses under the contract (rule 2).

    `is_granted` says whether the buyer holds a grant on the contract with the permission to create licenses.
    """
    reseller = buyer.reseller
    if not buyer.is_active or reseller is None or not reseller.is_active:
        raise PermissionMissing(_("Only active users of an active reseller buy licenses. Ask the operator."))
    if buyer.is_staff or reseller.pk != contract.reseller_id or not is_granted:
        raise PermissionMissing(
            _(
                "You may look at contract %(contract)s but not create licenses under it. "
                "Ask your operator for the permission."
            )
            % {"contract": contract.number}
        )


class ProductNotInContract(PurchaseRefused):
    """Rule 3: the product was not added to the contract, or was taken off its list."""

    code = "product_not_in_contract"
    answer = "product"


class ProductNotActive(PurchaseRefused):
    """Rule 3: the product is no longer sold, under no contract."""

    code = "product_not_active"
    answer = "product"


def check_product(contract: Contract, product: Product, line: ContractProduct | None) -> None:
    """Raise ProductNotInContract or ProductNotActive unless the product is on sale under the contract (rule 3).

    `line` is the contract's line of the product, if it has one.
    """
    if line is None or not line.is_active:
        raise ProductNotInContract(
            _("Contract %(contract)s does not have %(product)s. Choose one of its products.")
            % {"contract": contract.number, "product": product}
        )
    if not product.is_active:
        raise ProductNotActive(_("%(product)s is no longer sold. Choose another product.") % {"product": product})


class AccountNotServed(PurchaseRefused):
    """Rule 4: the account may not buy under the contract."""

    code = "account_not_served"
    answer = "account"


class AccountNotActive(AccountNotServed):
    """Rule 4: the account is not active."""

    code = "account_not_active"


class AccountOnTrial(AccountNotServed):
    """Rule 4: the account is not paid."""

    code = "account_on_trial"


class AccountBoundElsewhere(AccountNotServed):
    """Rule 4: another active contract names the account, so it buys only there."""

    code = "account_bound_elsewhere"


def check_account(contract: Contract, account: Account, serving: Serving) -> None:
    """Raise AccountNotServed or one of its kinds unless the account may buy under the contract (rule 4).

    `serving` says how the contracts of the reseller name the account (`contracts.services.serving.serving_of`).
    """
    names = {"account": account, "contract": contract.number, "other": serving.bound_to}
    if account.reseller_id != contract.reseller_id:
        raise AccountNotServed(_("%(account)s is no account of yours. Choose another account.") % names)
    if not account.is_active:
        raise AccountNotActive(_("%(account)s is not active. Choose another account, or ask the operator.") % names)
    if account.tier != Account.Tier.PAID:
        raise AccountOnTrial(
            _("%(account)s is on trial, and only paid accounts buy. Choose another one, or make it paid on its page.")
            % names
        )
    if serving.is_named:
        return
    if serving.contract_is_exclusive:
        raise AccountNotServed(
            _(
                "Contract %(contract)s serves only the accounts it names, and %(account)s is not among them. "
                "Choose another account or contract."
            )
            % names
        )
    if serving.bound_to is not None:
        raise AccountBoundElsewhere(
            _(
                "%(account)s is bound to contract %(other)s and buys only there. "
                "Choose that contract, or another account."
            )
            % names
        )


class PackageMismatch(PurchaseRefused):
    """Rule 5: the product is for accounts on another package."""

    code = "package_mismatch"
    answer = "product"


def check_package(product: Product, account: Account) -> None:
    """Raise PackageMismatch unless the product fits the account's package (rule 5)."""
    if product.package_id is None or product.package_id == account.package_id:
        return
    names = {"product": product, "account": account, "needed": product.package, "package": account.package}
    if account.package_id is None:
        sentence = _(
            "%(product)s is for accounts on the package %(needed)s; %(account)s is on none. Choose another product."
        )
    else:
        sentence = _(
            "%(product)s is for accounts on the package %(needed)s; %(account)s is on %(package)s. "
            "Choose another product."
        )
    raise PackageMismatch(sentence % names)


class AccountOnOtherPackage(AccountNotServed):
    """Rule 5: the product that shall be moved from stock is for accounts on another package."""

    code = "account_on_other_package"


def check_account_fits(account: Account, product: Product) -> None:
    """Raise AccountOnOtherPackage unless the product fits the account's package: rule 5, asked the other way round."""
    try:
        check_package(product, account)
    except PackageMismatch:
        raise AccountOnOtherPackage(
            _("%(product)s is only for accounts on the package %(needed)s. Choose another account than %(account)s.")
            % {"product": product, "needed": product.package, "account": account}
        ) from None


class QuantityNotAllowed(PurchaseRefused):
    """Rule 6: the quantity is below the contract's minimum or above the most of one purchase."""

    code = "quantity_not_allowed"
    answer = "quantity"


def most_of_one_purchase(line: ContractProduct) -> int:
    """The most licenses of the product that one purchase under the contract may hold (rule 6)."""
    return min(line.maximum_quantity or QUANTITY_LIMIT, QUANTITY_LIMIT)


def check_quantity(quantity: int, contract: Contract, line: ContractProduct) -> None:
    """Raise QuantityNotAllowed unless the quantity lies within what the contract allows (rule 6)."""
    least, most = contract.minimum_quantity, most_of_one_purchase(line)
    if quantity < least:
        raise QuantityNotAllowed(
            ngettext(
                "The quantity must be at least %(least)s license. Enter %(least)s or more.",
                "The quantity must be at least %(least)s licenses. Enter %(least)s or more.",
                least,
            )
            % {"least": count_text(least)}
        )
    if quantity > most:
        raise QuantityNotAllowed(
            ngettext(
                "One purchase holds at most %(most)s license. Enter %(most)s.",
                "One purchase holds at most %(most)s licenses. Enter %(most)s or fewer, and buy the rest afterwards.",
                most,
            )
            % {"most": count_text(most)}
        )


class PoNumberNotAllowed(PurchaseRefused):
    """Rule 7: the contract needs a PO number, or it is too long."""

    code = "po_number_not_allowed"
    answer = "po_number"


def check_po_number(po_number: str, contract: Contract) -> None:
    """Raise PoNumberNotAllowed unless the PO number is there where it must be, and short enough (rule 7)."""
    if contract.requires_po_number and not po_number:
        raise PoNumberNotAllowed(
            _("Contract %(contract)s needs a PO number. Enter the number of your purchase order.")
            % {"contract": contract.number}
        )
    if len(po_number) > PO_NUMBER_LIMIT:
        raise PoNumberNotAllowed(
            _("The PO number has %(length)s characters, and at most %(limit)s fit. Shorten it.")
            % {"length": count_text(len(po_number)), "limit": count_text(PO_NUMBER_LIMIT)}
        )


class NoteTooLong(PurchaseRefused):
    """Rule 7: the order note is longer than 2,000 characters."""

    code = "note_too_long"
    answer = "note"


def check_note(note: str) -> None:
    """Raise NoteTooLong unless the order note is short enough (rule 7)."""
    if len(note) > NOTE_LIMIT:
        raise NoteTooLong(
            _("The order note has %(length)s characters, and at most %(limit)s fit. Shorten it.")
            % {"length": count_text(len(note)), "limit": count_text(NOTE_LIMIT)}
        )


class FulfilmentNotOffered(PurchaseRefused):
    """Rule 8: the stock choice is not, or no longer, on offer, or was not made."""

    code = "fulfilment_not_offered"
    answer = "fulfilment"


def offered_fulfilments(quantity: int, *, available: int) -> tuple[Fulfilment, ...]:
    """Where that many licenses may come from when so many are available in suitable stock (rule 8)."""
    if available <= 0:
        return (Fulfilment.NEW,)
    if available < quantity:
        return (Fulfilment.STOCK_THEN_NEW, Fulfilment.NEW)
    return (Fulfilment.STOCK, Fulfilment.NEW)


def check_fulfilment(fulfilment: Fulfilment | None, quantity: int, *, available: int) -> None:
    """Raise FulfilmentNotOffered unless the choice was made and is on offer (rule 8)."""
    if fulfilment in offered_fulfilments(quantity, available=available):
        return
    if available <= 0 and fulfilment is not None:
        raise FulfilmentNotOffered(_("Nothing is left in stock. Choose a new purchase, or come back later."))
    in_stock = ngettext("%(count)s license is in stock.", "%(count)s licenses are in stock.", available) % {
        "count": count_text(available)
    }
    raise FulfilmentNotOffered(_("%(in_stock)s Choose where the licenses shall come from.") % {"in_stock": in_stock})
