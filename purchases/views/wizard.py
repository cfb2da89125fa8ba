"""The wizard: one page per question, the preview, and Buy."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Account
from accounts.requests import ResellerRequest
from contracts.models import Contract
from products.models import Product
from purchases.effect import effect_sentence
from purchases.forms import AccountForm, ContractForm, FulfilmentForm, ProductForm, QuantityForm, StepForm
from purchases.models import Fulfilment, PurchaseDraft, Purpose
from purchases.services import drafts
from purchases.services.buy import buy as place_order
from purchases.services.choices import (
    account_choices,
    contract_choices,
    product_choices,
    products_on_sale,
    stock_options,
)
from purchases.services.drafts import Answered
from purchases.services.facts import PurchaseFacts
from purchases.services.give_back import last_day_of_giving_back
from purchases.services.quote import PreviewOutdated, Quote, quote_from
from purchases.services.rules import PermissionMissing, PurchaseRefused, most_of_one_purchase
from purchases.services.steps import Step, chapter_number, chapters_of, questions_of, step_of
from purchases.views.answers import SeeOther
from purchases.wording import terms_in_words
from text.keys import key_written

StepView = Callable[[ResellerRequest, PurchaseFacts], HttpResponse]


def wizard_step(step: Step) -> Callable[[StepView], Callable[..., HttpResponse]]:
    """Make a page of the wizard: for the draft's own user, as long as nothing was bought, and not out of turn."""

    def decorate(view: StepView) -> Callable[..., HttpResponse]:
        @wraps(view)
        def enter(request: ResellerRequest, draft_id: UUID) -> HttpResponse:
            draft = get_object_or_404(PurchaseDraft.objects.visible_to(request.user).with_choices(), pk=draft_id)
            if number := _number_bought_as(draft):
                return _go(request, reverse("purchase", args=[number]))
            if _leaves_unanswered(request):
                return _go(request, reverse("licenses"))
            facts = PurchaseFacts(draft, buyer=request.user, on=request.today)
            try:
                if step not in (*questions_of(draft), Step.PREVIEW):
                    return _to_open_step(request, facts)
                if request.method == "POST":
                    drafts.check_turn(facts, step)
                else:
                    facts.check_until(step)
                return view(request, facts)
            except PurchaseRefused:
                return _to_open_step(request, facts)
            except PurchaseDraft.NotUpdated as deleted:
                raise Http404 from deleted

        return enter

    return decorate


question = require_http_methods(["GET", "HEAD", "POST"])
"""What the page of a question answers to."""


@require_POST
def start(request: ResellerRequest) -> HttpResponse:
    """Open a draft and go to its first open step; what the page before named is chosen already."""
    purpose = request.POST.get("purpose", Purpose.BUY)
    try:
        draft = drafts.open_draft(
            buyer=request.user,
            purpose=Purpose(purpose) if purpose in Purpose.values else Purpose.BUY,
            contract=_row_named(request, "contract", Contract.objects.visible_to(request.user)),
            account=_row_named(request, "account", Account.objects.visible_to(request.user)),
            product=_row_named(request, "product", Product.objects.all()),
        )
    except PermissionMissing as refusal:
        return render(request, "purchases/not_permitted.html", {"refusal": refusal}, status=403)
    except PurchaseRefused as busy:
        messages.warning(request, str(busy))
        return _go(request, reverse("licenses"))
    return _to_open_step(request, PurchaseFacts(draft, buyer=request.user, on=request.today))


@require_safe
def resume(request: ResellerRequest, draft_id: UUID) -> HttpResponse:
    """Go to the first open question, or to the purchase that came of the draft."""
    draft = get_object_or_404(PurchaseDraft.objects.visible_to(request.user).with_choices(), pk=draft_id)
    if number := _number_bought_as(draft):
        return _go(request, reverse("purchase", args=[number]))
    return _to_open_step(request, PurchaseFacts(draft, buyer=request.user, on=request.today))


@require_POST
def delete(request: ResellerRequest, draft_id: UUID) -> HttpResponse:
    """Give a draft up, unless a purchase came of it."""
    draft = get_object_or_404(PurchaseDraft.objects.visible_to(request.user).with_choices(), pk=draft_id)
    if number := _number_bought_as(draft):
        return _go(request, reverse("purchase", args=[number]))
    try:
        drafts.delete_draft(draft)
        messages.success(request, _("The draft was deleted."))
    except PurchaseRefused as refusal:
        messages.warning(request, str(refusal))
    return _go(request, reverse("licenses"))


@question
@wizard_step(Step.CONTRACT)
def contract(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """Under which contract? A chosen one shows its products at once."""
    form = ContractForm(_sent(request), facts=facts)
    with form.refusals():
        if form.is_valid():
            return _go_on(request, facts, drafts.choose_contract(facts, form.cleaned_data["contract"]))
    chosen = _chosen_key(request, "contract", facts.draft.contract_id)
    choices = contract_choices(request.user, on=request.today, query=_query(request), chosen=chosen)
    selected = next((row for row in choices.open if row.pk == chosen), choices.only)
    return _page(
        request,
        facts,
        Step.CONTRACT,
        form,
        part=_part(request, "contract"),
        choices=choices,
        selected=selected,
        offers=products_on_sale(selected, on=request.today) if selected else None,
    )


@question
@wizard_step(Step.ACCOUNT)
def account(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """For which account?"""
    form = AccountForm(_sent(request), facts=facts)
    with form.refusals():
        if form.is_valid():
            return _go_on(request, facts, drafts.choose_account(facts, form.cleaned_data["account"]))
    chosen = _chosen_key(request, "account", facts.draft.account_id)
    choices = account_choices(facts, query=_query(request), chosen=chosen)
    selected = next((row for row in choices.open if row.pk == chosen), choices.only)
    return _page(request, facts, Step.ACCOUNT, form, part=_part(request), choices=choices, selected=selected)


@question
@wizard_step(Step.PRODUCT)
def product(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """Which product? Nothing is chosen beforehand: it costs money."""
    form = ProductForm(_sent(request), facts=facts)
    with form.refusals():
        if form.is_valid():
            return _go_on(request, facts, drafts.choose_product(facts, form.cleaned_data["product"]))
    chosen = _chosen_key(request, "product", facts.draft.product_id)
    choices = product_choices(facts, query=_query(request), chosen=chosen)
    return _page(request, facts, Step.PRODUCT, form, part=_part(request), choices=choices, chosen=chosen)


@question
@wizard_step(Step.QUANTITY)
def quantity(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """How many, with what note and PO number?"""
    form = QuantityForm(_sent(request), facts=facts)
    with form.refusals():
        if form.is_valid():
            return _go_on(request, facts, drafts.choose_quantity(facts, **form.cleaned_data))
        drafts.refuse_answers(facts, form.refused)
    most = most_of_one_purchase(facts.line_on_sale)
    return _page(request, facts, Step.QUANTITY, form, most=most)


@question
@wizard_step(Step.STOCK)
def stock(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """From stock or new? The page is passed over where there is nothing to choose."""
    form = FulfilmentForm(_sent(request), facts=facts)
    with form.refusals():
        if form.is_valid():
            fulfilment = Fulfilment(form.cleaned_data["fulfilment"])
            return _go_on(request, facts, drafts.choose_fulfilment(facts, fulfilment))
    if not facts.has_stock_step and not form.is_bound:
        return _to_step(request, Step.PREVIEW, facts.draft)
    chosen = request.POST.get("fulfilment", facts.draft.fulfilment)
    return _page(request, facts, Step.STOCK, form, options=stock_options(facts), chosen=chosen)


@require_safe
@wizard_step(Step.PREVIEW)
def preview(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """What is about to be bought, computed by the code that buys."""
    return _preview_page(request, facts.draft, quote_from(facts))


@require_POST
def buy(request: ResellerRequest, draft_id: UUID) -> HttpResponse:
    """Buy, once, what the preview showed."""
    draft = get_object_or_404(PurchaseDraft.objects.visible_to(request.user), pk=draft_id)
    fingerprint = request.POST.get("fingerprint", "")
    try:
        purchase = place_order(draft, buyer=request.user, fingerprint=fingerprint, on=request.today)
    except PreviewOutdated as outdated:
        return _preview_page(request, draft, outdated.quote, outdated=outdated)
    except PurchaseDraft.DoesNotExist as deleted:
        raise Http404 from deleted
    except PurchaseRefused as refusal:
        step = step_of(refusal.answer) if refusal.answer else Step.PREVIEW
        context = {
            "draft": draft,
            "refusal": refusal,
            "step": step,
            "step_url": _url(step, draft),
            "here": _url(step, draft),
            **SECTION,
        }
        return render(request, f"purchases/refused.html{_main_part(request)}", context, status=409)
    _say_once(request, _("Order placed."))
    return _go(request, purchase.get_absolute_url())


def _say_once(request: ResellerRequest, sentence: str) -> None:
    """Say it on the next page, also where an answer that said it never arrived or was not looked at."""
    waiting: Any = messages.get_messages(request)
    is_said = sentence in map(str, waiting)
    waiting.used = False  # they were not shown yet
    if not is_said:
        messages.success(request, sentence)


SECTION = {"section": "licenses"}
"""Where the wizard stands in the navigation."""


def _number_bought_as(draft: PurchaseDraft) -> str | None:
    """The number of the purchase that came of the draft, which was read `with_choices`."""
    annotated: Any = draft
    number: str | None = annotated.purchase_number
    return number


def _sent(request: ResellerRequest) -> QueryDict | None:
    """What a form was filled in with; None where it is only shown."""
    return request.POST if request.method == "POST" else None


def _leaves_unanswered(request: ResellerRequest) -> bool:
    """Whether somebody presses "Save and come back later" with nothing to save."""
    return "later" in request.POST and not any(
        request.POST.get(name)
        for name in ("contract", "account", "product", "quantity", "note", "po_number", "fulfilment")
    )


def _row_named[Row: Model](request: ResellerRequest, name: str, rows: QuerySet[Row]) -> Row | None:
    """The row whose key was sent by the name; 404 if there is none among the rows."""
    if name not in request.POST:
        return None
    return get_object_or_404(rows, pk=_chosen_key(request, name, None))


def _query(request: ResellerRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:200]


def _chosen_key(request: ResellerRequest, name: str, stored: int | None) -> int | None:
    """The key of the row that is chosen on the page, if only for a look, or else in the draft."""
    written = request.POST.get(name) or request.GET.get(name) or ""
    key = key_written(written)
    return stored if key is None else key


def _part(request: ResellerRequest, choice: str = "") -> str:
    """Which part of the page htmx swaps: what was searched, or what belongs to the choice."""
    if not request.htmx or request.htmx.history_restore_request or request.method == "POST":
        return ""
    if "q" in request.GET:
        return "#choices"
    return "#chosen" if choice and choice in request.GET else ""


def _page(
    request: ResellerRequest, facts: PurchaseFacts, step: Step, form: StepForm, *, part: str = "", **context: Any
) -> HttpResponse:
    """The page of a question; what is wrong with an answer makes it a 422."""
    context |= {"facts": facts, "draft": facts.draft, "form": form, **_place(step, facts.draft), **SECTION}
    status = 422 if form.errors else 200
    return render(request, f"purchases/steps/{step}.html{part}", context, status=status)


def _preview_page(
    request: ResellerRequest, draft: PurchaseDraft, quote: Quote, *, outdated: PreviewOutdated | None = None
) -> HttpResponse:
    before = Step.STOCK if quote.has_stock_step else Step.QUANTITY
    context = {
        "quote": quote,
        "outdated": outdated,
        "effect": effect_sentence(quote),
        "give_back_until": last_day_of_giving_back((taking.lot for taking in quote.takings), taken_on=quote.on),
        "is_move": draft.purpose == Purpose.MOVE,
        "terms": terms_in_words(quote.terms),
        "urls": {step.value: reverse(step.url_name, args=[quote.draft_id]) for step in Step},
        "buy_url": reverse("buy", args=[quote.draft_id]),
        "here": _url(Step.PREVIEW, draft),
        "chapters": chapters_of(draft),
        "step_number": chapter_number(Step.PREVIEW, draft),
        "back_url": reverse(before.url_name, args=[quote.draft_id]),
        "back_label": before.back_label,
        **SECTION,
    }
    status = 409 if outdated else 200
    return render(request, f"purchases/steps/preview.html{_main_part(request)}", context, status=status)


def _main_part(request: ResellerRequest) -> str:
    """Buy swaps the main part of the preview."""
    return "#order" if request.htmx and request.method == "POST" else ""


def _place(step: Step, draft: PurchaseDraft) -> dict[str, Any]:
    """Where in the wizard a question stands, and the way back."""
    questions = questions_of(draft)
    position = questions.index(step)
    before = questions[position - 1] if position else None
    return {
        "step": step,
        "chapters": chapters_of(draft),
        "step_number": chapter_number(step, draft),
        "back_url": _url(before, draft) if before else reverse("licenses"),
        "back_label": before.back_label if before else _("Back to the licenses"),
    }


def _url(step: Step, draft: PurchaseDraft) -> str:
    return reverse(step.url_name, args=[draft.pk])


def _go(request: ResellerRequest, url: str) -> HttpResponse:
    """Open another page; also where htmx asked for a part of this one."""
    return HttpResponseClientRedirect(url) if request.htmx else SeeOther(url)


def _to_step(request: ResellerRequest, step: Step, draft: PurchaseDraft) -> HttpResponse:
    return _go(request, _url(step, draft))


def _to_open_step(request: ResellerRequest, facts: PurchaseFacts) -> HttpResponse:
    """Go to the first question that is open, and say why if it was answered before."""
    step, refusal = facts.first_open_step()
    if refusal is not None:
        messages.warning(request, str(refusal))
    return _to_step(request, step, facts.draft)


def _go_on(request: ResellerRequest, facts: PurchaseFacts, answered: Answered) -> HttpResponse:
    """Go to the next open question, or leave for now; say which answers had to go."""
    for cleared in answered.cleared:
        messages.warning(request, f"{cleared.step.label}: {cleared.reason}")
    if "later" in request.POST:
        messages.success(request, _("Your answers are saved. You can go on whenever you like."))
        return _go(request, reverse("licenses"))
    return _to_step(request, answered.next_step, facts.draft)
