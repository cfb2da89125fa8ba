"""What may be written into a contract."""

from collections.abc import Iterable
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import PROTECT
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Reseller, User
from contracts.models import Contract
from products.models import Product
from text.amounts import currency_decimals


def check_grant(contract: Contract, user: User) -> None:
    """Raise ValidationError unless the user belongs to the contract's reseller."""
    if user.reseller_id != contract.reseller_id:
        raise ValidationError(
            _("%(user)s is no user of %(reseller)s. Choose one of its users."),
            code="user_of_another_reseller",
            params={"user": user, "reseller": contract.reseller},
        )


def check_exclusive_accounts(reseller: Reseller, accounts: Iterable[Account]) -> None:
    """Raise ValidationError that names the accounts that are not the reseller's."""
    strangers = sorted(str(account) for account in accounts if account.reseller_id != reseller.pk)
    if strangers:
        raise ValidationError(
            _("These are no accounts of %(reseller)s: %(accounts)s. Take them out."),
            code="account_of_another_reseller",
            params={"reseller": reseller, "accounts": ", ".join(strangers)},
        )


def check_unit_price(contract: Contract, unit_price: Decimal) -> None:
    """Raise ValidationError if the price is finer than the contract's currency."""
    decimals = currency_decimals(contract.currency)
    if decimals is not None and unit_price != round(unit_price, decimals):
        raise ValidationError(
            _("%(currency)s has no amounts that small. Round the price."),
            code="price_finer_than_currency",
            params={"currency": contract.currency},
        )


def check_maximum_quantity(contract: Contract, maximum_quantity: int | None) -> None:
    """Raise ValidationError if no quantity is both within the maximum and the contract's minimum."""
    if maximum_quantity is not None and maximum_quantity < contract.minimum_quantity:
        raise ValidationError(
            _(
                "A purchase under this contract has at least %(minimum)s licenses, so nobody could buy this product. "
                "Raise the maximum to %(minimum)s or more, leave it empty, or lower the contract's minimum quantity."
            ),
            code="maximum_below_minimum",
            params={"minimum": contract.minimum_quantity},
        )


def check_product_on_contract(contract: Contract, product: Product) -> None:
    """Raise ValidationError unless the contract has the product, on sale or not."""
    if not contract.contract_products.filter(product=product).exists():
        raise ValidationError(
            _("%(contract)s does not have %(product)s. Choose one of its products, or add it to the contract first."),
            code="product_not_on_contract",
            params={"contract": contract, "product": product},
        )


def check_new_reseller(contract: Contract, reseller: Reseller) -> None:
    """Raise ValidationError if the contract can no longer go to another reseller.

    It takes the contract's lock, as buying does: nothing is bought under it before the transaction ends.
    """
    as_stored = Contract.objects.locked(contract.pk)
    if as_stored.reseller_id == reseller.pk:
        return
    if as_stored.grants.exists():
        raise ValidationError(
            _("Users of %(reseller)s hold grants on this contract. Remove their grants first."),
            code="contract_has_grants",
            params={"reseller": as_stored.reseller},
        )
    if _is_used(as_stored):
        raise ValidationError(
            _("%(reseller)s has bought under this contract or has stock of it. Make a new contract for %(other)s."),
            code="contract_is_used",
            params={"reseller": as_stored.reseller, "other": reseller},
        )


def _is_used(contract: Contract) -> bool:
    """Whether records exist that keep the contract from being deleted. The apps that hold them are above this one."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: contract}).exists()
        for relation in Contract._meta.related_objects
        if relation.on_delete is PROTECT
    )
