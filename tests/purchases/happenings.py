"""What may happen to an order between its preview and the press of Buy, and which rule then refuses it."""

from collections.abc import Callable
from datetime import timedelta

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct
from products.models import Product
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services import rules
from purchases.services.facts import AnswerMissing
from tests.factories import AccountFactory, PackageFactory
from tests.purchases.orders import TODAY, a_line, stock_for

Happening = Callable[[PurchaseDraft], object]


def change_contract(**terms: object) -> Happening:
    return lambda draft: Contract.objects.filter(purchase_drafts=draft).update(**terms)


def change_line(**facts: object) -> Happening:
    return lambda draft: ContractProduct.objects.filter(product=draft.product).update(**facts)


def change_product(**facts: object) -> Happening:
    return lambda draft: Product.objects.filter(purchase_drafts=draft).update(**facts)


def change_account(**facts: object) -> Happening:
    return lambda draft: Account.objects.filter(purchase_drafts=draft).update(**facts)


def change_draft(**answers: object) -> Happening:
    return lambda draft: PurchaseDraft.objects.filter(pk=draft.pk).update(**answers)


def change_user(**facts: object) -> Happening:
    return lambda draft: User.objects.filter(pk=draft.user_id).update(**facts)


def take_off_the_list(draft: PurchaseDraft) -> None:
    ContractProduct.objects.filter(product=draft.product).delete()


def withdraw_the_grant(draft: PurchaseDraft) -> None:
    ContractGrant.objects.filter(user=draft.user).delete()


def withdraw_the_permission(draft: PurchaseDraft) -> None:
    ContractGrant.objects.filter(user=draft.user).update(can_create_licenses=False)


def disable_the_reseller(draft: PurchaseDraft) -> None:
    Reseller.objects.filter(pk=draft.reseller_id).update(is_active=False)


def name_others_on_the_contract(draft: PurchaseDraft) -> None:
    Contract.objects.get(purchase_drafts=draft).exclusive_accounts.add(AccountFactory(reseller=draft.reseller))


def bind_the_account_elsewhere(draft: PurchaseDraft) -> None:
    a_line(reseller=draft.reseller).contract.exclusive_accounts.set(Account.objects.filter(purchase_drafts=draft))


def move_the_account(draft: PurchaseDraft) -> None:
    Account.objects.filter(purchase_drafts=draft).update(reseller=AccountFactory().reseller)


def change_the_package(draft: PurchaseDraft) -> None:
    Product.objects.filter(purchase_drafts=draft).update(package=PackageFactory())


def bring_in_stock(draft: PurchaseDraft) -> None:
    stock_for(draft, 1)


HAPPENINGS: dict[str, tuple[Happening, type[rules.PurchaseRefused]]] = {
    "contract suspended": (change_contract(status="suspended"), rules.ContractNotActive),
    "contract closed": (change_contract(status="closed"), rules.ContractNotActive),
    "contract over": (change_contract(ends_on=TODAY - timedelta(days=1)), rules.ContractNotActive),
    "contract yet to begin": (change_contract(starts_on=TODAY + timedelta(days=1)), rules.ContractNotActive),
    "grant withdrawn": (withdraw_the_grant, rules.PermissionMissing),
    "permission withdrawn": (withdraw_the_permission, rules.PermissionMissing),
    "user disabled": (change_user(is_active=False), rules.PermissionMissing),
    "user made staff": (change_user(is_staff=True), rules.PermissionMissing),
    "reseller disabled": (disable_the_reseller, rules.PermissionMissing),
    "product taken off the list": (take_off_the_list, rules.ProductNotInContract),
    "line switched off": (change_line(is_active=False), rules.ProductNotInContract),
    "product retired": (change_product(is_active=False), rules.ProductNotActive),
    "account closed": (change_account(is_active=False), rules.AccountNotActive),
    "account back on trial": (change_account(tier="trial"), rules.AccountOnTrial),
    "account of another reseller": (move_the_account, rules.AccountNotServed),
    "contract exclusive to others": (name_others_on_the_contract, rules.AccountNotServed),
    "account bound elsewhere": (bind_the_account_elsewhere, rules.AccountBoundElsewhere),
    "package changed": (change_the_package, rules.PackageMismatch),
    "minimum raised": (change_contract(minimum_quantity=50), rules.QuantityNotAllowed),
    "maximum lowered": (change_line(maximum_quantity=1), rules.QuantityNotAllowed),
    "PO number asked for": (change_contract(requires_po_number=True), rules.PoNumberNotAllowed),
    "note lengthened": (change_draft(note="n" * 2_001), rules.NoteTooLong),
    "stock chosen that is not there": (change_draft(fulfilment=Fulfilment.STOCK), rules.FulfilmentNotOffered),
    "stock came in": (bring_in_stock, AnswerMissing),
}
"""By a name for the test's id; each order is of 3 new licenses, and has no PO number."""
