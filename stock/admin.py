"""Stock lots and their movements in the admin: lots come in here, and are corrected here."""

from typing import Any, TypeGuard

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.refusals import record_refusal
from desk.forms import form_frame
from desk.pages import OperatorAdmin, ReadOnlyAdmin, ReadOnlyLines
from stock.forms import ArrivalForm, CorrectionForm
from stock.models import StockLot, StockMovement
from stock.services.audit import differences_from_movements, gather, statements_of_stock
from stock.services.correct import CorrectionRefused, correct
from stock.services.receive import receive_stock
from text.amounts import count_text


class StockMovementLines(ReadOnlyLines[StockMovement]):
    model = StockMovement
    fields = ("created_at", "reason", "change", "actor", "reference")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        return StockMovement.objects.select_related("actor").order_by(*self.ordering)


@admin.register(StockLot)
class StockLotAdmin(OperatorAdmin[StockLot]):
    acts_record_themselves = True
    form = ArrivalForm
    inlines = (StockMovementLines,)
    list_display = ("pk", "reseller", "contract", "product", "remaining", "quantity", "use_by", "received_at")
    list_filter = ("end_rule", "use_by")
    list_select_related = ("reseller", "contract", "product")
    search_fields = ("contract__search_text", "product__search_text", "reseller__name")
    autocomplete_fields = ("contract", "product")

    def get_fields(self, request: HttpRequest, obj: StockLot | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("contract", "product", "quantity", "use_by", "term_months", "end_rule")
        return (
            "reseller",
            "contract",
            "product",
            "quantity",
            "remaining",
            "use_by",
            "term_months",
            "end_rule",
            "received_at",
            "ledger",
        )

    def get_inlines(self, request: HttpRequest, obj: StockLot | None) -> tuple[type[StockMovementLines], ...]:
        return () if obj is None else (StockMovementLines,)

    def has_change_permission(self, request: HttpRequest, obj: StockLot | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StockLot | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StockLot, form: ArrivalForm, change: Any) -> None:
        """Let the lot come in through the ledger, so that its movement exists."""
        lot = receive_stock(
            contract=obj.contract,
            product=obj.product,
            quantity=obj.quantity,
            use_by=obj.use_by,
            term_months=form.cleaned_data["term_months"],
            end_rule=form.cleaned_data["end_rule"] or None,
            actor=request.user if isinstance(request.user, User) else None,
        )
        obj.pk = lot.pk
        obj.refresh_from_db()

    @admin.display(description=_("ledger"))
    def ledger(self, lot: StockLot) -> str:
        """Whether the lot agrees with what the ledger says of it."""
        return " ".join(self.differences_of(lot)) or gettext("Agrees.")

    def differences_of(self, lot: StockLot) -> list[str]:
        """Where the lot and its movements disagree, a sentence each."""
        [(_pk, stated)] = gather(statements_of_stock(StockLot.objects.filter(pk=lot.pk)))
        return differences_from_movements(stated)

    def get_urls(self) -> list[URLPattern]:
        correct_view = self.admin_site.admin_view(self.correct_view)
        return [path("<int:pk>/correct/", correct_view, name="stock_stocklot_correct"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_correct": _may_correct(request.user)}
        return super().change_view(request, object_id, form_url, context)

    def correct_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Correct what remains of a lot, for a reason."""
        user = request.user
        if not _may_correct(user):
            raise PermissionDenied
        return self._or_collision(request, lambda: self._correct(request, pk, actor=user))

    def _correct(self, request: HttpRequest, pk: int, *, actor: User) -> HttpResponse:
        if request.method != "POST":
            lot = get_object_or_404(StockLot, pk=pk)
            return self._correction_page(
                request, lot, CorrectionForm(initial={"movements_seen": lot.movements.count()})
            )
        with transaction.atomic():
            lot = get_object_or_404(StockLot.objects.locked(), pk=pk)
            form = CorrectionForm(request.POST)
            if not form.is_valid():
                return self._correction_page(request, lot, form)
            change, reason_text = form.cleaned_data["change"], form.cleaned_data["reason_text"]
            if form.cleaned_data["movements_seen"] != lot.movements.count():
                record_refusal("stock_changed_meanwhile", by=actor, on=lot)
                self.message_user(
                    request,
                    _(
                        "This stock has changed since the page was opened, so nothing was corrected now. "
                        "Look at its movements, and correct it if that is still needed."
                    ),
                    messages.ERROR,
                )
                return redirect("admin:stock_stocklot_change", lot.pk)
            try:
                correct(lot, change, reason_text=reason_text, actor=actor, on=lot.reseller.today())
            except CorrectionRefused as refusal:
                form.add_error(refusal.answer, str(refusal))
                return self._correction_page(request, lot, form)
            self.log_recorded_change(
                request, lot, f"{StockMovement.Reason.CORRECTED.label}: {change:+d}. {reason_text}"
            )
        self.message_user(request, _("The stock was corrected by %(change)s.") % {"change": f"{change:+d}"})
        return redirect("admin:stock_stocklot_change", lot.pk)

    def _correction_page(self, request: HttpRequest, lot: StockLot, form: CorrectionForm) -> HttpResponse:
        numbers = {"remaining": count_text(lot.remaining), "quantity": count_text(lot.quantity)}
        context = {
            **self.admin_site.each_context(request),
            "title": _("Correct stock"),
            "subtitle": f"{lot}: " + gettext("%(remaining)s of %(quantity)s left") % numbers,
            "opts": self.opts,
            "original": lot,
            "change": True,
            "has_view_permission": True,
            **form_frame(form),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/stock/stocklot/correct.html", context)


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin[StockMovement]):
    list_display = ("created_at", "lot", "reason", "change", "actor", "reference")
    list_filter = ("reason",)
    list_select_related = ("lot__contract", "lot__product", "actor")
    search_fields = ("reference", "lot__contract__search_text", "lot__product__search_text")
    ordering = ("-pk",)


def _may_correct(user: object) -> TypeGuard[User]:
    return isinstance(user, User) and user.has_perm("stock.change_stocklot")
