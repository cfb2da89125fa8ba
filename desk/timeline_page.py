"""The page of the admin that tells what happened to a row, and the question why on the page that changes it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from desk.history import REASON_LENGTH, recorded_as
from desk.timeline import recorded, timeline


class TimelinePage[Row: models.Model](admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """History as a timeline, for models whose versions are kept."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not recorded(self.model):
            return super().history_view(request, object_id, extra_context)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]  # missing in the stubs
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History: %(row)s") % {"row": row},
            "subtitle": None,
            "opts": self.opts,
            "object": row,
            "page": timeline(row, request.GET.get("page")),
            "preserved_filters": self.get_preserved_filters(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/timeline.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        why = request.POST.get("why", "").replace("\x00", "").strip()[:REASON_LENGTH]
        with recorded_as(reason=why):
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Row | None = None,
    ) -> HttpResponse:
        asks_already = "reason" in context["adminform"].form.fields
        may_write = self.has_change_permission(request, obj) if change else self.has_add_permission(request)
        context["asks_why"] = recorded(self.model) and may_write and change and not asks_already
        context["why"] = request.POST.get("why", "")
        context["reason_length"] = REASON_LENGTH
        return super().render_change_form(request, context, add, change, form_url, obj)
