"""Contracts: a row is one contract with its terms, but without its prices and grants."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext as _

from accounts.models import Account, Reseller
from contracts.models import Contract, ContractProduct, EndRule
from contracts.services.checks import check_maximum_quantity, check_unit_price
from contracts.services.imports.effects import DryRun, Problem
from contracts.services.imports.plans import Format, Plan, contracts_named
from contracts.services.imports.rows import (
    Headings,
    Row,
    StoredRow,
    fill,
    found,
    needed,
    refuse_doubles,
    refuse_missing,
)
from contracts.services.imports.values import (
    list_written,
    read_day,
    read_line,
    read_list,
    read_text,
    read_truth,
    read_whole_number,
    shortened,
)
from contracts.services.life import ContractClosed, check_editable
from text.amounts import count_text

MOST_NAMED_ACCOUNTS = 20_000
_AT_ONCE = 500


def _one_of(choices: type[TextChoices]) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = read_line(cell)
        if text not in choices.values:
            raise ValidationError(_("Write one of these: %(values)s.") % {"values": ", ".join(choices.values)})
        return text

    return read


_TERMS = {
    "title": read_line,
    "starts_on": read_day,
    "ends_on": read_day,
    "currency": read_line,
    "term_months": read_whole_number,
    "end_rule": _one_of(EndRule),
    "billing": _one_of(Contract.Billing),
    "minimum_quantity": read_whole_number,
    "requires_po_number": read_truth,
    "stock_life_months": read_whole_number,
    "conditions": read_text,
}
COLUMNS = ("reseller", "number", "title", "status", *list(_TERMS)[1:], "exclusive_accounts")


@dataclass(frozen=True)
class _Known:
    """What rows point to, by the names in files, and the accounts that contracts name, by the key of these."""

    contracts: dict[str, Contract]
    resellers: dict[str, Reseller]
    accounts: dict[tuple[int, str], Account]
    exclusive: dict[int, list[Account]]


@dataclass
class _Wanted:
    """What is to be written."""

    new: list[Contract] = field(default_factory=list)
    changed: list[Contract] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    exclusive: list[tuple[Contract, list[Account]]] = field(default_factory=list)

    def write(self) -> None:
        search_text = Contract._meta.get_field("search_text")
        for contract in self.changed:
            search_text.pre_save(contract, add=False)
        Contract.objects.bulk_create(self.new, batch_size=_AT_ONCE)
        if terms := self.columns & set(_TERMS):
            Contract.objects.bulk_update(self.changed, [*terms, "search_text"], batch_size=_AT_ONCE)
        for contract, accounts in self.exclusive:
            contract.exclusive_accounts.set(accounts)


def plan_contracts(columns: Sequence[str], stored: Sequence[StoredRow], is_held: bool) -> Plan:
    rows = [(row := Row(columns, each), row.line_of("number")) for each in stored]
    refuse_doubles(rows, column="number")
    named = {row.effect.line: row.read("exclusive_accounts", read_list) or [] for row, _number in rows}
    references = {reference for each in named.values() for reference in each}
    if len(references) > MOST_NAMED_ACCOUNTS:
        return Plan(DryRun([], [_too_many_accounts()]), lambda: None)
    contracts = contracts_named({number for _row, number in rows}, is_held=is_held)
    resellers = found(Reseller.objects.all(), "slug", {row.line_of("reseller") for row, _number in rows})
    accounts = found(Account.objects.all(), "reference", references)
    known = _Known(
        contracts=contracts,
        resellers={reseller.slug: reseller for reseller in resellers},
        accounts={(account.reseller_id, account.reference): account for account in accounts},
        exclusive=_exclusive_accounts(contracts.values()),
    )

    wanted = _Wanted()
    written = []
    for row, number in rows:
        row.effect.about = shortened(number)
        contract = known.contracts.get(number) or Contract(number=number)
        _fill_contract(contract, row, named[row.effect.line], known, wanted)
        if row.effect.is_new or row.effect.changes:
            written.append((row, contract))
            (wanted.new if row.effect.is_new else wanted.changed).append(contract)
    _check_price_lists(written)
    return Plan(DryRun([row.effect for row, _number in rows]), wanted.write)


CONTRACTS = Format(Headings(known=COLUMNS, required=("number",)), most_rows=5_000, plan=plan_contracts)


def _exclusive_accounts(contracts: Iterable[Contract]) -> dict[int, list[Account]]:
    """The accounts that each contract names, by the contract's key, in the order of their references."""
    through = Contract.exclusive_accounts.through.objects.select_related("account").order_by()
    named: dict[int, list[Account]] = {}
    for naming in found(through, "contract", [contract.pk for contract in contracts]):
        named.setdefault(naming.contract_id, []).append(naming.account)
    return {key: sorted(accounts, key=lambda account: account.reference) for key, accounts in named.items()}


def accounts_written(contracts: Iterable[Contract]) -> dict[int, str]:
    """The accounts that each contract names as a file has them, by the contract's key."""
    return {key: _written(accounts) for key, accounts in _exclusive_accounts(contracts).items()}


def _fill_reseller(contract: Contract, row: Row, resellers: dict[str, Reseller]) -> None:
    slug = row.line_of("reseller")
    reseller = resellers.get(slug)
    if slug and reseller is None:
        row.refuse("reseller", _("There is no reseller “%(slug)s”.") % {"slug": shortened(slug)})
    elif contract.pk is None:
        if reseller is None:
            row.refuse("reseller", needed())
        else:
            contract.reseller = reseller
            row.change("reseller", None, slug)
    elif reseller is not None and reseller != contract.reseller:
        row.refuse(
            "reseller",
            _("The contract belongs to %(reseller)s. An import gives no contract to another reseller.")
            % {"reseller": contract.reseller},
        )


def _fill_contract(contract: Contract, row: Row, references: Sequence[str], known: _Known, wanted: _Wanted) -> None:
    """Put what the row says into the contract, and what that changes into the row's effect."""
    _fill_reseller(contract, row, known.resellers)
    _note_status(contract, row)
    fill(contract, row, _TERMS)
    if row.effect.is_new:
        if not contract.number:
            row.refuse("number", needed())
        else:
            row.check("number", Contract._meta.get_field("number").clean, contract.number, contract)
        refuse_missing(contract, row, ["starts_on", "currency"])
    else:
        wanted.columns.update(change.column for change in row.effect.changes)
    if contract.reseller_id is not None:
        now = known.exclusive.get(contract.pk, [])
        then = _accounts_named(contract, row, references, known.accounts, now)
        if then != now:
            row.change("exclusive_accounts", _written(now), _written(then))
            wanted.exclusive.append((contract, then))
    if row.effect.is_new or row.effect.changes:
        _check_terms(contract, row)


def _note_status(contract: Contract, row: Row) -> None:
    """Say that the status is not imported, where the row wants another one."""
    status = row.read("status", _one_of(Contract.Status))
    if status is None or status == contract.status:
        return
    if contract.pk is None:
        row.effect.notes.append(_("It comes as a draft. Activate it on its page, once it has prices and grants."))
    else:
        row.effect.notes.append(
            _("It stays “%(status)s”: an import changes no status. Do that on the contract's page.")
            % {"status": contract.get_status_display()}
        )


def _accounts_named(
    contract: Contract,
    row: Row,
    references: Sequence[str],
    accounts: dict[tuple[int, str], Account],
    now: list[Account],
) -> list[Account]:
    """The accounts that the contract is to name."""
    if not row.has("exclusive_accounts") or row.says("exclusive_accounts", _written(now)):
        return now
    unknown = [reference for reference in references if (contract.reseller_id, reference) not in accounts]
    if unknown:
        row.refuse(
            "exclusive_accounts",
            _("%(reseller)s has no account with this reference: %(references)s.")
            % {"reseller": contract.reseller, "references": ", ".join(map(shortened, unknown[:5]))},
        )
        return now
    return [accounts[contract.reseller_id, reference] for reference in sorted(references)]


def _written(accounts: Iterable[Account]) -> str:
    return list_written([account.reference for account in accounts])


def _check_terms(contract: Contract, row: Row) -> None:
    """What holds between terms, and whether the contract may change at all."""
    sentences = {constraint.name: constraint.violation_error_message for constraint in Contract._meta.constraints}
    if contract.ends_on is None:
        if contract.end_rule == EndRule.CONTRACT_END:
            row.refuse("end_rule", str(sentences["contract_end_rule_has_its_date"]))
    elif not row.effect.problems and contract.ends_on < contract.starts_on:
        row.refuse("ends_on", str(sentences["contract_ends_after_it_starts"]))
    try:
        check_editable(contract)
    except ContractClosed as closed:
        row.refuse("number", str(closed))


def _check_price_lists(written: Sequence[tuple[Row, Contract]]) -> None:
    """Hold what the contracts have in their price lists against terms that change."""
    checks: dict[str, Callable[[Contract, ContractProduct], None]] = {
        "currency": lambda contract, line: check_unit_price(contract, line.unit_price),
        "minimum_quantity": lambda contract, line: check_maximum_quantity(contract, line.maximum_quantity),
    }
    touched = {
        contract.pk: (contract, row, changed)
        for row, contract in written
        if not row.effect.is_new and (changed := {change.column for change in row.effect.changes} & set(checks))
    }
    lines: QuerySet[ContractProduct] = ContractProduct.objects.select_related("product").order_by("product__sku")
    for line in found(lines, "contract", touched):
        contract, row, changed = touched[line.contract_id]
        for column in changed:
            try:
                checks[column](contract, line)
            except ValidationError as refusal:
                row.refuse(column, f"{line.product.sku}: {' '.join(refusal.messages)}")


def _too_many_accounts() -> Problem:
    return Problem(
        "",
        "exclusive_accounts",
        _("The file names more than %(limit)s accounts. Send it in parts.")
        % {"limit": count_text(MOST_NAMED_ACCOUNTS)},
    )
