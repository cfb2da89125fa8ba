"""The accounts: the list, the page of one, and what a buyer does with them."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.forms import EditAccountForm, NewAccountForm
from accounts.models import Account
from accounts.requests import ResellerRequest
from accounts.services import ManagingNotPermitted
from audit.refusals import record_refusal
from contracts.services.permission import may_create_any_licenses
from listing.pages import At, Order, query_asked
from listing.tallies import tally
from purchases.charts import ending_chart
from purchases.models import PurchaseDraft
from purchases.services.accounts import (
    HeldProduct,
    contracts_naming,
    held_products,
    held_quantities,
    latest_purchases_for,
    valid_licenses_of,
)
from purchases.services.ending import ending_by_month
from purchases.services.holdings import Line, lines_of_account
from purchases.views.answers import SeeOther
from purchases.wording import state_in_words

ACCOUNTS_SHOWN = 25

ACCOUNTS = Order({"search_text": str, "pk": int})


def in_words_if_not_permitted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer with the reason where the user may look at accounts but not change them."""

    @wraps(view)
    def enter(request: ResellerRequest, **named: int) -> HttpResponse:
        try:
            return view(request, **named)
        except ManagingNotPermitted as refusal:
            if request.method == "POST":
                record_refusal(refusal.code, by=request.user)
            return render(request, "purchases/managing_not_permitted.html", {"refusal": refusal}, status=403)

    return enter


@require_safe
def accounts(request: ResellerRequest) -> HttpResponse:
    """The accounts of the reseller by name, and how many licenses each has."""
    query = query_asked(request.GET)
    found = Account.objects.visible_to(request.user).matching(query).select_related("package")
    page = ACCOUNTS.page(found, size=ACCOUNTS_SHOWN, at=At.asked(request.GET))
    held = held_quantities(page.rows, on=request.today)
    context = {
        "query": query,
        "accounts": [(account, held[account.pk]) for account in page.rows],
        "total": tally(found),
        "previous_url": page.previous and _list_address(q=query, before=page.previous),
        "next_url": page.next and _list_address(q=query, after=page.next),
        "may_manage": may_create_any_licenses(request.user),
    }
    return render(request, "purchases/accounts.html", context)


@require_safe
def account(request: ResellerRequest, account_id: int) -> HttpResponse:
    """What an account has and until when, what was bought for it, and Buy."""
    account = _visible_account(request, account_id)
    products = held_products(account, on=request.today)
    lines = lines_of_account(account, on=request.today)
    months = ending_by_month(valid_licenses_of(account), on=request.today)
    context = {
        "account": account,
        "may_manage": may_create_any_licenses(request.user),
        "held": sum(product.active + product.upcoming for product in products),
        "products": [(product, *_addresses_of_product(account, product)) for product in products],
        "bound_to": contracts_naming(account, on=request.today),
        "lines": [(line, _state_in_words(request, line)) for line in lines.rows],
        "more_lines_url": lines.next and _licenses_address(account),
        "chart": ending_chart(months, lambda month: _licenses_address(account, **month.parameters)),
        "purchases": latest_purchases_for(account),
        "all_purchases_url": reverse("purchases", query={"q": account.reference}),
    }
    return render(request, "purchases/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@in_words_if_not_permitted
def new_account(request: ResellerRequest) -> HttpResponse:
    """Add an account; from within the wizard, on the way to choosing it."""
    draft = _draft_to_go_on_with(request)
    may_manage = may_create_any_licenses(request.user)
    services.check_may_manage(may_manage)
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    with form.refusals():
        if form.is_valid():
            account = services.create_account(by=request.user, may_manage=may_manage, **form.cleaned_data)
            messages.success(request, _("Account %(account)s was created.") % {"account": account})
            return SeeOther(_account_step(draft, account) if draft else _address(account))
    context = {
        "form": form,
        "similar": [(other, _account_step(draft, other) if draft else _address(other)) for other in form.similar],
        "draft": draft,
        "back_url": reverse("account_step", args=[draft.pk]) if draft else reverse("accounts"),
    }
    return render(request, "purchases/new_account.html", context, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
@in_words_if_not_permitted
def edit_account(request: ResellerRequest, account_id: int) -> HttpResponse:
    """Change the name or the package of an account; from within the wizard, on the way back to its question."""
    draft = _draft_to_go_on_with(request)
    account = _visible_account(request, account_id)
    may_manage = may_create_any_licenses(request.user)
    services.check_may_manage(may_manage)
    form = EditAccountForm(request.POST if request.method == "POST" else None, account=account)
    with form.refusals():
        if form.is_valid():
            services.edit_account(account, by=request.user, may_manage=may_manage, **form.cleaned_data)
            messages.success(request, _("Your changes are saved."))
            return SeeOther(_account_step(draft, account) if draft else _address(account))
    context = {
        "form": form,
        "account": account,
        "similar": [(other, _account_step(draft, other) if draft else _address(other)) for other in form.similar],
        "draft": draft,
        "back_url": reverse("account_step", args=[draft.pk]) if draft else _address(account),
    }
    return render(request, "purchases/edit_account.html", context, status=_status(form))


@require_POST
@in_words_if_not_permitted
def make_account_paid(request: ResellerRequest, account_id: int) -> HttpResponse:
    """Turn a trial account into a paid one."""
    account = _visible_account(request, account_id)
    may_manage = may_create_any_licenses(request.user)
    services.make_account_paid(account, by=request.user, may_manage=may_manage)
    messages.success(request, _("%(account)s is a paid account now.") % {"account": account})
    return SeeOther(_address(account))


def _state_in_words(request: ResellerRequest, line: Line) -> str:
    return state_in_words(
        line.state, starts_on=line.starts_on, ends_on=line.ends_on, cancelled_at=None, on=request.today
    )


def _visible_account(request: ResellerRequest, account_id: int) -> Account:
    return get_object_or_404(Account.objects.visible_to(request.user).select_related("package"), pk=account_id)


def _draft_to_go_on_with(request: ResellerRequest) -> PurchaseDraft | None:
    """The user's draft that the address names; 404 if it names none of theirs."""
    if "draft" not in request.GET:
        return None
    try:
        draft_id = UUID(request.GET["draft"])
    except ValueError:
        raise Http404 from None
    return get_object_or_404(PurchaseDraft.objects.visible_to(request.user), pk=draft_id)


def _status(form: NewAccountForm | EditAccountForm) -> int:
    return 422 if form.errors or form.similar else 200


def _address(account: Account) -> str:
    return reverse("account", args=[account.pk])


def _account_step(draft: PurchaseDraft, account: Account) -> str:
    """The wizard's question for the account, with this one chosen for a look."""
    return reverse("account_step", args=[draft.pk], query={"account": account.pk})


def _list_address(**parameters: str) -> str:
    return reverse("accounts", query={name: value for name, value in parameters.items() if value})


def _licenses_address(account: Account, tab: str = "licenses", /, **parameters: str) -> str:
    """The account's licenses in the Active tab or another."""
    return reverse(tab, query={"account": account.pk, **parameters})


def _addresses_of_product(account: Account, product: HeldProduct) -> tuple[str, str]:
    """The account's licenses of the product in the Active and in the Upcoming tab."""
    key = str(product.product_id)
    return _licenses_address(account, product=key), _licenses_address(account, "licenses_upcoming", product=key)
