"""What a search over licenses or purchases finds."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet, Value

from accounts.models import Account, User
from contracts.models import Contract
from products.models import Product
from purchases.models import License, Purchase

MOST_WORDS = 4
"""Words beyond these count as one phrase together with the last of them."""

KEY_START = 4
"""The fewest characters that count as the beginning of a license key; shorter words would find them by chance."""

LISTED = 50
"""Up to so many rows that a word names are looked up first, so that the database knows how few there are."""

NOTHING = Q(pk__in=[])

type Rows = QuerySet[Any, Any]


def licenses_found_by(query: str, *, user: User) -> Q:
    """The licenses that each word names: by account, product, contract, PO number, or the beginning of the key."""
    return _found_by(
        query,
        user=user,
        also=lambda word: {"purchase__in": _with_po_number(word, user=user), "pk__in": _with_key(word, user=user)},
    )


def purchases_found_by(query: str, *, user: User) -> Q:
    """The purchases that each word names: by account, product, contract, number or PO number."""
    return _found_by(query, user=user, also=lambda word: {"pk__in": _with_number(word, user=user)})


def _with_key(word: str, *, user: User) -> Rows | None:
    if len(word) < KEY_START:
        return None
    return License.objects.visible_to(user).filter(key__startswith=word.upper())


def _with_po_number(word: str, *, user: User) -> Rows:
    return Purchase.objects.visible_to(user).exclude(po_number="").filter(po_number__icontains=word)


def _with_number(word: str, *, user: User) -> Rows:
    return Purchase.objects.visible_to(user).filter(Q(number__startswith=word.upper()) | Q(po_number__icontains=word))


def _found_by(query: str, *, user: User, also: Callable[[str], dict[str, Rows | None]]) -> Q:
    words = query.split(maxsplit=MOST_WORDS - 1)
    if not words:
        return Q()
    named = {
        (position, lookup): rows
        for position, word in enumerate(words)
        for lookup, rows in {
            "account__in": Account.objects.visible_to(user).matching(word),
            "contract__in": Contract.objects.visible_to(user).matching(word),
            "product__in": Product.objects.matching(word),
            **also(word),
        }.items()
        if rows is not None
    }
    found = Q()
    by_word = _first_of(named)
    for position, _word in enumerate(words):
        of_word = NOTHING
        for lookup, keys in by_word[position].items():
            of_word |= Q(**{lookup: keys if len(keys) <= LISTED else named[position, lookup].values("pk")})
        found &= of_word
    return found


def _first_of(named: dict[tuple[int, str], Rows]) -> dict[int, dict[str, list[int]]]:
    """The keys of the first rows of each, in one statement."""
    labelled = [
        rows.model._base_manager.filter(pk__in=rows.order_by().values("pk")[: LISTED + 1])
        .order_by()
        .values_list(Value(position), Value(lookup), "pk")
        for (position, lookup), rows in named.items()
    ]
    keys: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, lookup, key in labelled[0].union(*labelled[1:], all=True).order_by():
        keys[position][lookup].append(key)
    return keys
