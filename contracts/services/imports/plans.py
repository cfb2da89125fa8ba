"""What a file would do, together with the rows that do it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from contracts.models import Contract
from contracts.services.imports.effects import DryRun
from contracts.services.imports.rows import Headings, StoredRow, found


@dataclass(frozen=True)
class Plan:
    """The dry run, and the act that writes what it shows, inside the transaction that made the plan."""

    dry_run: DryRun
    write: Callable[[], None]


@dataclass(frozen=True)
class Format:
    """A kind of file: its headings, the most rows, and what makes the plan for its rows.

    The plan holds the contracts that the rows are about until the end of the transaction if it is to be written.
    """

    headings: Headings
    most_rows: int
    plan: Callable[[Sequence[str], Sequence[StoredRow], bool], Plan]


def contracts_named(numbers: Iterable[str], *, is_held: bool) -> dict[str, Contract]:
    """The contracts that have these numbers, with their resellers.

    Held until the end of the transaction in the order of their keys, so that neither another import nor a purchase
    waits for this one while this one waits for it.
    """
    keys = sorted(contract.pk for contract in found(Contract.objects.order_by().only("pk"), "number", numbers))
    contracts = Contract.objects.select_related("reseller").order_by("pk")
    if is_held:
        contracts = contracts.select_for_update(no_key=True, of=("self",))
    return {contract.number: contract for contract in found(contracts, "pk", keys)}
