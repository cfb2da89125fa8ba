"""What a browser sends when an admin page is submitted."""

from collections.abc import Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, Any

from contracts.models import Contract

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

Fields = Mapping[str, Any]


def lines(prefix: str, rows: Sequence[Fields], *, stored: int = 0) -> dict[str, Any]:
    """The rows of an inline, the stored ones first."""
    sent: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": stored}
    for number, row in enumerate(rows):
        sent |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return sent


def contract_page(
    terms: Fields, *, products: Sequence[Fields] = (), grants: Sequence[Fields] = (), stored: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """The page of a new contract that everything accepts, with other terms where given."""
    plain = {
        "number": "C-1",
        "status": Contract.Status.ACTIVE,
        "starts_on": "2026-01-01",
        "currency": "EUR",
        "term_months": "12",
        "end_rule": "anniversary",
        "billing": "upfront",
        "minimum_quantity": "1",
        "stock_life_months": "12",
    }
    stored_products, stored_grants = stored
    return {
        **plain,
        **terms,
        **lines("contract_products", products, stored=stored_products),
        **lines("grants", grants, stored=stored_grants),
    }


def errors(page: "Page") -> str:
    """Every sentence that the page says is wrong, in one text; fails if the page was accepted."""
    assert page.status_code == 200, page.status_code
    return unescape(" ".join(str(message) for message in page.context["errors"]))
