"""The kinds of pages that the admin is made of."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.paginator import Paginator
from django.db import IntegrityError, OperationalError, models, transaction
from django.db.models import PROTECT, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from audit.models import Act
from audit.refusals import BUSY, record_refusal
from audit.services import record
from desk.forms import NamedLines, RowSelect, RowsField, RowsSelect
from desk.timeline_page import TimelinePage
from guard.locks import is_about_locks
from text.folding import fold
from text.keys import may_be_key

NUL = "\x00"
KEEPERS_SHOWN = 20
ROWS_COUNTED = 10_000


class NewestRows(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """Pages of the first ten thousand rows: to count a million takes longer than to show a page."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:ROWS_COUNTED].count())


class SafeChoices(BaseModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """References that are refused with a sentence, whatever is sent for them."""

    class Media:
        js = ("js/desk.js",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", RowSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", RowsSelect(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **{"form_class": RowsField, **kwargs})


class OperatorAdmin[Row: models.Model](SafeChoices, TimelinePage[Row]):
    """Lists that stay quick when they are long, and refusals in words where two people's work collides."""

    list_per_page = 50
    show_full_result_count = False
    view_on_site = False  # the portal shows nothing to the operator's staff
    acts_record_themselves = False
    """Whether what this page does stands in the audit log already, by the services that do it."""

    def log_addition(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        self._record(Act.ADDED, request, obj, detail=_changes_in(message))
        return self.log_recorded_addition(request, obj, message)

    def log_recorded_addition(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        """Note in the admin's own list what a service has recorded in the audit log."""
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        if message != []:  # else the page was saved as it was
            self._record(Act.CHANGED, request, obj, detail=_changes_in(message))
        return self.log_recorded_change(request, obj, message)

    def log_recorded_change(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        """Note in the admin's own list what a service has recorded in the audit log."""
        return super().log_change(request, obj, message)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """What was changed; the reason for it is no field of the row."""
        if "reason" in form.changed_data:
            form.changed_data.remove("reason")
        return super().construct_change_message(request, form, formsets, add)

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        with transaction.atomic():
            self._record(Act.DELETED, request, obj)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Row]) -> None:
        """Delete the selected rows, all or none: Django itself opens no transaction for that."""
        with transaction.atomic():
            for row in queryset:
                self._record(Act.DELETED, request, row)
            super().delete_queryset(request, queryset)

    def _record(self, act: Act, request: HttpRequest, row: Row, *, detail: str = "") -> None:
        if not self.acts_record_themselves and isinstance(request.user, AbstractBaseUser):
            record(act, by=request.user, on=row, detail=detail)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """Search for the words as typed and as folded text: names may be kept either way."""
        readable = search_term.replace(NUL, "")
        found, may_repeat = super().get_search_results(request, queryset, readable)
        if (folded := fold(readable)) != readable:
            found_folded, folded_may_repeat = super().get_search_results(request, queryset, folded)
            found, may_repeat = found | found_folded, may_repeat or folded_may_repeat
        return found, may_repeat

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if any(NUL in name + "".join(values) for name, values in request.GET.lists()):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")  # as for any other filter that means nothing
        return self._or_collision(request, lambda: super(OperatorAdmin, self).changelist_view(request, extra_context))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._or_collision(
            request,
            lambda: super(OperatorAdmin, self).changeform_view(request, object_id, form_url, extra_context),
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._or_collision(
            request, lambda: super(OperatorAdmin, self).delete_view(request, object_id, extra_context)
        )

    def get_deleted_objects(
        self, objs: Sequence[Row] | QuerySet[Row], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name what keeps the rows from being deleted, if anything does, before Django gathers all of it."""
        if keepers := self._keepers(objs):
            return [], {}, set(), keepers
        return super().get_deleted_objects(objs, request)

    def _keepers(self, rows: Sequence[Row] | QuerySet[Row]) -> list[str]:
        """The first records of each kind that must not lose what they point to or name. There may be a million."""
        return [
            f"{capfirst(keeper._meta.verbose_name)}: {keeper}"
            for relation in self.model._meta.related_objects
            if relation.on_delete is PROTECT or relation.many_to_many
            for keeper in relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})[
                :KEEPERS_SHOWN
            ]
        ]

    def _or_collision(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Answer with the view, or say that other people's work stood in the way of writing."""
        try:
            return view()
        except IntegrityError:
            code = "collided"
            collision = _(
                "Somebody else saved something in the meantime that does not go together with this. "
                "Nothing of yours was saved. Look at the page as it is now and try again."
            )
        except OperationalError as error:
            if request.method != "POST" or not is_about_locks(error):
                raise  # reading waits for nobody
            code = BUSY
            collision = _(
                "The same records were in use for too long, for example by a purchase. "
                "Nothing of yours was saved. Try again."
            )
        if isinstance(request.user, AbstractBaseUser):
            record_refusal(code, by=request.user, on=self.row_named(_key_in_address(request)))
        self.message_user(request, collision, messages.ERROR)
        return redirect(request.get_full_path())

    def row_named(self, key: str | None) -> Row | None:
        """The row of the page, as an address names it, or None."""
        if key is None or not may_be_key(unquote(key)):
            return None
        row: Row | None = self.model._base_manager.filter(pk=unquote(key)).first()
        return row


class ReadOnlyAdmin[Row: models.Model](OperatorAdmin[Row]):
    """Records that the operator reads and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class Lines[Child: models.Model](SafeChoices, admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Rows that are edited on the page of the row they belong to."""

    extra = 0
    show_change_link = False
    formset = NamedLines

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field, which tells its own name: the heading of its column is no label."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            select: Any = getattr(field.widget, "widget", field.widget)
            select.attrs["aria-label"] = capfirst(field.label)
        return field


class ReadOnlyLines[Child: models.Model](Lines[Child]):
    """Rows that are shown on the page of the row they belong to."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _key_in_address(request: HttpRequest) -> str | None:
    """The key of the row that the address is about; the pages of lists and of new rows are about none."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    key = named.get("object_id", named.get("pk", named.get("id")))
    return None if key is None else str(key)


def _changes_in(message: Any) -> str:
    """The names of the fields, and the kinds of lines, that a message of the admin lists; never what is in them."""
    return ", ".join(_changes_of(message)) if isinstance(message, list) else ""


def _changes_of(message: list[dict[str, dict[str, Any]]]) -> Iterator[str]:
    for part in message:
        for act, about in part.items():
            fields = ", ".join(map(str, about.get("fields", [])))
            if line := about.get("name"):
                yield f"{line} {act}: {fields}" if fields else f"{line} {act}"
            elif fields:
                yield fields
