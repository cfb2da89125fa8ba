"""Contracts and price lists as files in the admin: out, and in, with a dry run before anything is written."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Reseller, User
from accounts.requests import operator_of
from contracts.models import Contract, Import
from contracts.services.imports.effects import DryRun, Kind
from contracts.services.imports.exports import start_export
from contracts.services.imports.import_rows import DryRunOutdated, ImportRefused, import_rows, preview
from contracts.services.imports.upload import format_of, upload_file
from desk.forms import form_frame
from desk.pages import ReadOnlyAdmin
from listing import csv_files, workbooks
from listing.tables import Table
from listing.unreadable import UnreadableFile
from listing.uploads import MOST_BYTES
from text.amounts import count_text
from text.form_fields import PlainTextField

ROWS_SHOWN = 100

_RIGHTS = {
    Import.Content.CONTRACTS: ("contracts.add_contract", "contracts.change_contract"),
    Import.Content.PRICES: ("contracts.add_contractproduct", "contracts.change_contractproduct"),
}
_RIGHTS_TO_READ = {
    Import.Content.CONTRACTS: "contracts.view_contract",
    Import.Content.PRICES: "contracts.view_contractproduct",
}
_LABELS: dict[Kind, Promise] = {
    Kind.ERROR: _("Error"),
    Kind.NEW: _("New"),
    Kind.CHANGED: _("Changed"),
    Kind.UNCHANGED: _("Unchanged"),
}
_LABELS_OF_COUNTS: dict[Kind, Promise] = {**_LABELS, Kind.ERROR: _("Errors")}
_WRITERS: dict[str, tuple[str, Callable[[Table], Iterator[bytes]]]] = {
    "csv": (csv_files.CONTENT_TYPE, csv_files.csv_file),
    "xlsx": (workbooks.CONTENT_TYPE, workbooks.workbook),
}


class _ContentForm(forms.Form):
    """Asks first what a file holds: one of the contents that the user may choose."""

    def __init__(self, *args: Any, contents: Iterable[Import.Content], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(content.value, content.label) for content in contents]
        self.fields["content"] = forms.ChoiceField(
            label=_("The file holds"), choices=choices, initial=choices[0][0], widget=forms.RadioSelect
        )
        self.order_fields(["content"])


class UploadForm(_ContentForm):
    """What the file holds, and the file."""

    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        help_text=_("CSV in UTF-8, or an Excel workbook (.xlsx). The first line has the headings."),
    )


class ConfirmationForm(forms.Form):
    """Why it is imported, and which dry run was seen."""

    reason = PlainTextField(
        label=_("Reason"),
        help_text=_("It stays in the history, for your colleagues."),
        required=True,
        is_one_line=True,
        max_length=200,
        widget=AdminTextInputWidget,
    )
    fingerprint = forms.CharField(widget=forms.HiddenInput)


class ExportForm(_ContentForm):
    """What to take away, and as what."""

    kind = forms.ChoiceField(
        label=_("Kind of file"),
        choices=[("csv", _("CSV")), ("xlsx", _("Excel workbook"))],
        initial="csv",
        widget=forms.RadioSelect,
    )
    reseller = forms.ModelChoiceField(
        label=capfirst(_("reseller")),
        queryset=Reseller.objects.order_by("name", "pk"),
        required=False,
        empty_label=_("All"),
    )
    status = forms.ChoiceField(
        label=capfirst(_("status")), choices=[("", _("All")), *Contract.Status.choices], required=False
    )


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin[Import]):
    """Files that were sent in. Adding one shows its dry run, and the page of one that was not imported is that."""

    list_display = (
        "uploaded_at",
        "content",
        "file_name",
        "row_count",
        "imported_at",
        "imported_by",
        "new_count",
        "changed_count",
    )
    list_filter = ("content", "uploaded_at")
    list_select_related = ("imported_by",)
    search_fields = ("file_name", "reason", "uploaded_by__email")
    ordering = ("-pk",)
    fields = (
        "content",
        "file_name",
        "row_count",
        "uploaded_by",
        "uploaded_at",
        "imported_by",
        "imported_at",
        "reason",
        "new_count",
        "changed_count",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("rows")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return bool(_readable(request)) if obj is None else Import.Content(obj.content) in _readable(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(_importable(request))

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export_view), name="contracts_import_export")
        return [export, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Take in a file, and go to its dry run."""
        contents = _importable(request)
        user = operator_of(request)
        if not contents:
            raise PermissionDenied
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            contents=contents,
            initial={"content": asked} if (asked := request.GET.get("content")) in contents else {},
        )
        if request.method == "POST" and form.is_valid():
            try:
                upload = _taken_in(form, by=user)
            except UnreadableFile as unreadable:
                form.add_error("file", str(unreadable))
            else:
                return redirect("admin:contracts_import_change", upload.pk)
        formats = [
            {
                "label": content.label,
                "known": ", ".join(format_of(content).headings.known),
                "required": ", ".join(format_of(content).headings.required),
                "most_rows": count_text(format_of(content).most_rows),
            }
            for content in contents
        ]
        return self._page(
            request, "upload.html", form, title=_("Import"), formats=formats, most_megabytes=MOST_BYTES // 2**20
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The dry run, or what became of it."""
        upload = self.get_object(request, object_id)
        if upload is not None and upload.imported_at is not None and request.method == "POST":
            return redirect("admin:contracts_import_change", upload.pk)  # the button was pressed again
        if upload is None or upload.imported_at is not None:
            return super().change_view(request, object_id, form_url, extra_context)
        if not self.has_view_permission(request, upload):
            raise PermissionDenied
        return self._or_collision(request, lambda: self._dry_run(request, upload))

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Take contracts or price lists away as a file that can be imported again."""
        contents = _readable(request)
        if not contents:
            raise PermissionDenied
        form = ExportForm(request.POST or None, contents=contents)
        if request.method == "POST" and form.is_valid():
            return _file(form, by=operator_of(request))
        return self._page(request, "export.html", form, title=_("Export"))

    def _dry_run(self, request: HttpRequest, upload: Import) -> HttpResponse:
        may_import = Import.Content(upload.content) in _importable(request)
        form = ConfirmationForm(request.POST or None)
        status = 200
        try:
            if request.method == "POST":
                if not may_import:
                    raise PermissionDenied
                if form.is_valid():
                    return self._imported(request, upload, form)
            dry_run = preview(upload, at=timezone.now())
        except DryRunOutdated as outdated:
            self.message_user(request, str(outdated), messages.ERROR)
            dry_run, status = preview(upload, at=timezone.now()), 409
        except ImportRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:contracts_import_add")
        if form.data.get("fingerprint") != dry_run.fingerprint:
            form = ConfirmationForm(initial={"fingerprint": dry_run.fingerprint})
        return self._page(
            request,
            "dry_run.html",
            form,
            status=status,
            title=_("Dry run"),
            subtitle=upload.file_name,
            upload=upload,
            dry_run=dry_run,
            may_import=may_import,
            **_shown(request, dry_run),
        )

    def _imported(self, request: HttpRequest, upload: Import, form: ConfirmationForm) -> HttpResponse:
        imported = import_rows(
            upload,
            fingerprint=form.cleaned_data["fingerprint"],
            by=operator_of(request),
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
        counts = {"new": count_text(imported.new_count), "changed": count_text(imported.changed_count)}
        self.message_user(
            request, gettext("The file was imported: %(new)s new, %(changed)s changed.") % counts, messages.SUCCESS
        )
        return redirect("admin:contracts_import_change", imported.pk)

    def _page(
        self, request: HttpRequest, template: str, form: forms.Form, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        shown = [name for name, field in form.fields.items() if not field.widget.is_hidden]
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            **form_frame(form, fields=shown),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, f"admin/contracts/import/{template}", {**frame, **context}, status=status)


def _importable(request: HttpRequest) -> dict[Import.Content, tuple[str, ...]]:
    """What the user may import, which is what the user may write anyway."""
    return {content: rights for content, rights in _RIGHTS.items() if request.user.has_perms(rights)}


def _readable(request: HttpRequest) -> dict[Import.Content, str]:
    """What the user may take away, which is what the user may see anyway."""
    return {content: right for content, right in _RIGHTS_TO_READ.items() if request.user.has_perm(right)}


def _taken_in(form: UploadForm, *, by: User) -> Import:
    file = form.cleaned_data["file"]
    data = file.read(MOST_BYTES + 1)
    content = Import.Content(form.cleaned_data["content"])
    return upload_file(data, name=file.name, content=content, by=by, at=timezone.now())


def _shown(request: HttpRequest, dry_run: DryRun) -> dict[str, Any]:
    """The part of a dry run that one page shows: the asked kind of effects, or all with the errors first."""
    asked = request.GET.get("show", "")
    order = list(Kind)
    effects = sorted(
        (effect for effect in dry_run.effects if asked in ("", effect.kind)),
        key=lambda effect: (order.index(effect.kind), effect.line),
    )
    page = Paginator(effects, ROWS_SHOWN).get_page(request.GET.get("page"))
    counts = [(kind, _LABELS_OF_COUNTS[kind], count_text(dry_run.count(kind))) for kind in Kind]
    rows = [(effect, _LABELS[effect.kind]) for effect in page.object_list]
    button = ngettext("Import %(count)s row", "Import %(count)s rows", dry_run.writes)
    return {
        "counts": counts,
        "asked": asked,
        "rows": rows,
        "page": page,
        "button": button % {"count": count_text(dry_run.writes)},
    }


def _file(form: ExportForm, *, by: User) -> StreamingHttpResponse:
    """The file, while its rows are read."""
    asked = form.cleaned_data
    contracts = Contract.objects.all()
    if asked["reseller"]:
        contracts = contracts.filter(reseller=asked["reseller"])
    if asked["status"]:
        contracts = contracts.filter(status=asked["status"])
    table = start_export(Import.Content(asked["content"]), contracts, kind=asked["kind"], by=by)
    content_type, write = _WRITERS[asked["kind"]]
    name = f"{asked['content']}-{timezone.localdate():%Y-%m-%d}.{asked['kind']}"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return StreamingHttpResponse(
        write(table), content_type=content_type, headers={"Content-Disposition": disposition or ""}
    )
