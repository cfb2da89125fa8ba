"""The wizard as a browser without JavaScript sees it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any

from django.test import Client
from django.urls import reverse

from purchases.models import PurchaseDraft
from tests.pages import text_of
from tests.purchases.orders import TODAY

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12, 0, tzinfo=UTC)

STEPS = ("contract_step", "account_step", "product_step", "quantity_step", "stock_step", "preview_step")
HTMX = {"HX-Request": "true"}


@dataclass
class Wizard:
    """A browser in which a draft's own user walks through its steps."""

    client: Client
    draft: PurchaseDraft

    def url(self, name: str) -> str:
        return reverse(name, args=[self.draft.pk])

    def get(self, name: str, query: dict[str, Any] | None = None, **options: Any) -> "Page":
        return self.client.get(self.url(name), query, **options)

    def post(self, name: str, answers: dict[str, Any] | None = None, **options: Any) -> "Page":
        return self.client.post(self.url(name), answers, **options)

    def post_bytes(self, name: str, body: str) -> "Page":
        """Send a form as it is written, percent signs and all."""
        return self.client.post(self.url(name), body, content_type="application/x-www-form-urlencoded")

    def answers(self) -> dict[str, Any]:
        """What the draft says now."""
        return {
            **PurchaseDraft.objects.values(
                "contract", "account", "product", "quantity", "note", "po_number", "fulfilment"
            ).get(pk=self.draft.pk)
        }

    def fingerprint(self) -> str:
        """What the preview carries now."""
        return fingerprint_in(self.get("preview_step"))

    def buy(self, fingerprint: str | None = None, **options: Any) -> "Page":
        """Press Buy on the preview as it is now, or on one that carried the fingerprint."""
        return self.post("buy", {"fingerprint": self.fingerprint() if fingerprint is None else fingerprint}, **options)

    def goes_to(self, page: "Page", name: str) -> bool:
        """Whether the answer leads to the draft's step, without repeating a POST on the way."""
        return (page.status_code, page.headers.get("Location")) == (303, self.url(name))


def begin(draft: PurchaseDraft, client: Client | None = None) -> Wizard:
    """The draft in the browser of its user."""
    client = client or Client()
    client.force_login(draft.user)
    return Wizard(client, draft)


def fingerprint_in(page: "Page") -> str:
    [fingerprint] = re.findall(r'name="fingerprint" value="([^"]*)"', page.text)
    return unescape(fingerprint)


def words_of(page: "Page") -> str:
    """What a reader sees, in one line."""
    return unescape(text_of(page.text))


def notices_on(page: "Page") -> list[str]:
    """The messages of what was done before."""
    return [str(message) for message in page.context["messages"]]


def chosen_on(page: "Page") -> list[str]:
    """The values of the radio buttons that are set."""
    return [value for value, rest in _radios(page) if "checked" in rest]


def offered_on(page: "Page") -> list[str]:
    """The values of all radio buttons."""
    return [value for value, _rest in _radios(page)]


def _radios(page: "Page") -> list[tuple[str, str]]:
    return re.findall(r'<input class="radio"[^>]*value="([^"]*)"([^>]*)>', page.text)


def says(page: "Page", field: str, sentence: str) -> None:
    """Fail unless the page refuses the field's answer with the sentence: in the title, the summary and at the field."""
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    summary = _element("div", "error-summary", page.text)
    links = {unescape(words): target for target, words in re.findall(r'<a href="#([^"]*)">([^<]*)</a>', summary)}
    assert sentence in links
    assert f'id="{links[sentence]}"' in page.text
    assert sentence in unescape(text_of(_element("div", f"id_{field}_error", page.text)))


def _element(tag: str, identifier: str, html: str) -> str:
    """The inside of the element, which holds none of the same tag that ends before its own end."""
    found = re.search(rf'<{tag}[^>]*id="{identifier}".*?</{tag}>\s*(</{tag}>)?', html, re.DOTALL)
    assert found, f"There is no {identifier} on the page."
    return found.group()
