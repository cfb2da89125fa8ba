"""What a step of the wizard offers: what can be chosen, and what cannot with the rule that stops it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When, Window
from django.db.models.functions import Coalesce

from accounts.models import Account, User
from contracts.models import Contract, ContractGrant, ContractProduct, ContractProductQuerySet, ContractQuerySet
from contracts.services.serving import accounts_not_served_by, accounts_served_by, serving_of
from purchases.models import Fulfilment, License, Purchase
from purchases.services import rules
from purchases.services.facts import PurchaseFacts
from purchases.services.parts import ContractEndMissing, Part, split
from stock.models import StockLot
from text.folding import fold

SHOWN = 20
"""How many rows a step shows at once. Where there are more, one searches."""


@dataclass(frozen=True)
class Stopped[Row]:
    """A row that cannot be chosen, and the rule that stops it."""

    row: Row
    refusal: rules.PurchaseRefused


@dataclass(frozen=True)
class Choices[Row]:
    """The rows of a step: at most `SHOWN` that can be chosen and as many that cannot, and how many there are."""

    query: str
    open: Sequence[Row]
    open_total: int
    stopped: Sequence[Stopped[Row]]
    stopped_total: int

    @property
    def is_long(self) -> bool:
        """Whether one has to search to see them all."""
        return bool(self.query) or self.open_total > SHOWN or self.stopped_total > SHOWN

    @property
    def open_shown(self) -> int:
        return min(len(self.open), self.open_total)

    @property
    def only(self) -> Row | None:
        """The one row that can be chosen, where there is no other."""
        return self.open[0] if self.open_total == 1 and not self.query else None


def contracts_of(user: User) -> ContractQuerySet:
    """The user's contracts with `is_granted`, for `check_contract`, and `product_count`: how many are on sale."""
    grants = ContractGrant.objects.filter(contract=OuterRef("pk"), user=user, can_create_licenses=True)
    on_sale = ContractProduct.objects.on_sale().filter(contract=OuterRef("pk")).order_by()
    return Contract.objects.visible_to(user).annotate(
        is_granted=Exists(grants), product_count=_count_of(on_sale, "contract")
    )


def check_contract(contract: Contract, *, buyer: User, on: date) -> None:
    """Raise PurchaseRefused unless rules 1 and 2 let the buyer choose the contract, which is one of `contracts_of`."""
    annotated: Any = contract
    rules.check_contract_active(contract, on=on)
    rules.check_permission(contract, buyer=buyer, is_granted=annotated.is_granted)


def contract_choices(user: User, *, on: date, query: str = "", chosen: int | None = None) -> Choices[Contract]:
    """The user's contracts. Each that can be chosen has `product_count`."""
    visible = contracts_of(user)
    is_open = Q(pk__in=Contract.objects.visible_to(user).active(on=on).buyable_by(user).values("pk"))

    def refuse(contract: Contract) -> None:
        check_contract(contract, buyer=user, on=on)

    return _choices(
        visible.filter(is_open).order_by("number"),
        visible.exclude(is_open).order_by("number"),
        refuse,
        query=query,
        text="search_text",
        pinned=Q(pk=chosen),
    )


def account_choices(facts: PurchaseFacts, *, query: str = "", chosen: int | None = None) -> Choices[Account]:
    """The reseller's accounts as the draft's contract serves them, those the buyer bought for last first."""
    contract, on, moved = facts.contract, facts.on, facts.moved_product
    package = moved.package_id if moved is not None else None
    bought = Purchase.objects.filter(account=OuterRef("pk"), placed_by=facts.buyer).order_by("-placed_at")
    served = accounts_served_by(contract, on=on, package=package).annotate(
        last_bought_at=Subquery(bought.values("placed_at")[:1])
    )
    others = accounts_not_served_by(contract, on=on, package=package)

    def refuse(account: Account) -> None:
        rules.check_account(contract, account, serving_of(account))
        if moved is not None:
            rules.check_account_fits(account, moved)

    return _choices(
        served.select_related("package").order_by(F("last_bought_at").desc(nulls_last=True), "search_text", "pk"),
        others.select_related("package").order_by("search_text", "pk"),
        refuse,
        query=query,
        text="search_text",
        pinned=Q(pk=chosen),
    )


def product_choices(facts: PurchaseFacts, *, query: str = "", chosen: int | None = None) -> Choices[ContractProduct]:
    """The lines of the draft's contract as they fit its account, with `in_stock` and `held` licenses of each."""
    contract = facts.contract
    account = None if facts.is_for_stock else facts.account
    lines = lines_with_stock(contract, on=facts.on)
    is_open = Q(is_active=True, product__is_active=True)
    if account is not None:
        holding = License.objects.valid().filter(account=account, product=OuterRef("product"), ends_on__gte=facts.on)
        lines = lines.annotate(held=_count_of(holding.order_by(), "product"))
        is_open &= Q(product__package=None) | Q(product__package=account.package_id)

    def refuse(line: ContractProduct) -> None:
        rules.check_product(contract, line.product, line)
        if account is not None:
            rules.check_package(line.product, account)

    return _choices(
        lines.filter(is_open).order_by("product__name", "pk"),
        lines.exclude(is_open).order_by("product__name", "pk"),
        refuse,
        query=query,
        text="product__search_text",
        pinned=Q(product=chosen),
    )


@dataclass(frozen=True)
class Offers:
    """What a contract sells: its first lines, each with `in_stock`, and how many there are."""

    lines: Sequence[ContractProduct]
    total: int


def products_on_sale(contract: Contract, *, on: date) -> Offers:
    """The products that can be bought under the contract (rule 3), by name."""
    lines = lines_with_stock(contract, on=on).on_sale().annotate(total=Window(Count("pk")))
    shown: list[Any] = list(lines.order_by("product__name", "pk")[:SHOWN])
    return Offers(shown, _total(shown))


def lines_with_stock(contract: Contract, *, on: date) -> ContractProductQuerySet:
    """The contract's lines with `in_stock`: how many licenses of the product lie in suitable stock."""
    lots = StockLot.objects.filter(
        contract=contract, product=OuterRef("product"), remaining__gt=0, use_by__gte=on
    ).order_by()
    in_stock = Subquery(lots.values("product").annotate(sum=Sum("remaining")).values("sum"))
    return (
        ContractProduct.objects.filter(contract=contract)
        .select_related("product__package")
        .annotate(in_stock=Coalesce(in_stock, 0))
    )


@dataclass(frozen=True)
class StockOption:
    """One way to fulfil the quantity, and what it costs in the contract's currency."""

    fulfilment: Fulfilment
    parts: Sequence[Part]
    total: Decimal


def stock_options(facts: PurchaseFacts) -> list[StockOption]:
    """Where the draft's licenses may come from (rule 8)."""
    return [
        option
        for fulfilment in rules.offered_fulfilments(facts.quantity, available=facts.available)
        if (option := _stock_option(facts, fulfilment)) is not None
    ]


def _stock_option(facts: PurchaseFacts, fulfilment: Fulfilment) -> StockOption | None:
    """The option; None if its licenses would have no end."""
    try:
        parts = split(facts.quantity, fulfilment, contract=facts.contract, lots=facts.lots, on=facts.on)
    except ContractEndMissing:
        return None
    bought = sum(part.quantity for part in parts if part.lot is None)
    return StockOption(fulfilment, parts, facts.line_on_sale.unit_price * bought)


def _choices[Row: models.Model](
    open_rows: models.QuerySet[Row],
    stopped_rows: models.QuerySet[Row],
    refuse: Callable[[Any], None],
    *,
    query: str,
    text: str,
    pinned: Q,
) -> Choices[Row]:
    """The first rows of both, with the pinned one on top of what can be chosen, whether it matches or not."""
    matching = Q(**{f"{text}__contains": fold(query)})
    total = Window(Count("pk", filter=matching))
    place = Case(When(pinned, then=Value(0)), default=Value(1))
    shown = (
        open_rows.filter(matching | pinned)
        .annotate(total=total, place=place)
        .order_by("place", *open_rows.query.order_by)[:SHOWN]
    )
    hidden = stopped_rows.filter(matching).annotate(total=total)[:SHOWN]
    open_list: list[Any] = list(shown)
    stopped = [Stopped(row, _refusal(refuse, row)) for row in hidden]
    return Choices(query, open_list, _total(open_list), stopped, _total([choice.row for choice in stopped]))


def _total(rows: Sequence[Any]) -> int:
    return rows[0].total if rows else 0


def _refusal(refuse: Callable[[Any], None], row: models.Model) -> rules.PurchaseRefused:
    try:
        refuse(row)
    except rules.PurchaseRefused as refusal:
        return refusal
    raise AssertionError(f"No rule stops {row!r}, but it is not offered either.")


def _count_of(rows: models.QuerySet[Any], by: str) -> Coalesce:
    """How many rows a subquery finds, which all have the same `by`."""
    return Coalesce(Subquery(rows.values(by).annotate(count=Count("pk")).values("count")), 0)
