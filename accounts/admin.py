"""Resellers, users, groups and accounts in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.forms import AccountForm, AddUserForm, ChangeUserForm
from accounts.models import Account, Reseller, User
from audit.models import AuditEvent
from desk.pages import NUL, NewestRows, OperatorAdmin, ReadOnlyAdmin

admin.site.site_header = _("License portal")
admin.site.site_title = _("License portal")
admin.site.index_title = _("Operator's desk")
admin.site.site_url = None  # the portal shows nothing to the operator's staff


@admin.register(Reseller)
class ResellerAdmin(OperatorAdmin[Reseller]):
    list_display = ("name", "slug", "time_zone", "language", "is_active")
    list_filter = ("is_active", "language")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(User)
class UserAdmin(OperatorAdmin[User], DjangoUserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Users of resellers and of the operator. Only superusers touch staff, and only they give rights."""

    form = ChangeUserForm
    add_form = AddUserForm
    list_display = ("email", "full_name", "reseller", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    list_select_related = ("reseller",)
    search_fields = ("email", "full_name", "reseller__name")
    ordering = ("email",)
    autocomplete_fields = ("reseller",)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email",)}),
        (_("Person"), {"fields": ("full_name", "reseller")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_form_template = "admin/change_form.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        return _with_kinds(super().get_object(request, object_id, from_field), "user_permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields: tuple[str, ...] = ("last_login", "date_joined")
        if not _is_superuser(request):
            fields += ("is_staff", "is_superuser", "groups", "user_permissions")
        if obj is not None and obj.reseller_id is not None:
            fields += ("reseller",)  # what a user did and may do belongs to the reseller
        return fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(OperatorAdmin[Group], DjangoGroupAdmin):  # type: ignore[misc]  # Django's own signatures differ
    """Groups carry rights, so only superusers change them: staff could raise their own otherwise."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Group | None:
        return _with_kinds(super().get_object(request, object_id, from_field), "permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _is_superuser(request)


@admin.register(Account)
class AccountAdmin(OperatorAdmin[Account]):
    form = AccountForm
    list_display = ("name", "reference", "reseller", "package", "tier", "is_active")
    list_filter = ("is_active", "tier", "package")
    list_select_related = ("reseller", "package")
    search_fields = ("search_text", "reseller__name")
    autocomplete_fields = ("reseller", "package")


def _with_kinds[Row: Model](row: Row | None, permissions: str) -> Row | None:
    """The row, whose permissions can be told without asking for one after the other what kind it is of."""
    if row is not None:
        prefetch_related_objects([row], f"{permissions}__content_type")
    return row


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_manage(request: HttpRequest, user: User | None) -> bool:
    """Whether the row is within reach: staff who are no superusers manage only people without rights in the admin."""
    return _is_superuser(request) or user is None or not (user.is_staff or user.is_superuser)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """The audit log, to read."""

    paginator = NewestRows

    list_display = ("at", "actor", "act", "object_type", "object_label", "detail", "address")
    list_filter = ("act",)
    search_fields = ("actor",)
    search_help_text = _(
        "E-mail address, IP address, or number, key or name of what it is about, in full; a day like 2026-11-24 (UTC). "
        "The list ends after 10,000 rows: search for what is older."
    )
    sortable_by = ()
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        found = AuditEvent.objects.matching(search_term.replace(NUL, ""))
        return queryset & found, False
