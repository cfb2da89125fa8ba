"""Each role at each page of the admin: what it opens, sends, sees and writes, as the table in `roles.py` says."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Permission
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from audit import models as audit
from purchases.models import License, Purchase
from stock.models import StockMovement
from tests.admin.roles import (
    ACTIONS,
    ACTS,
    DOORS,
    INLINES,
    NO_PAGES,
    PAGES,
    STAFF,
    Act,
    Page,
    Role,
    Roles,
    group,
    sign_in,
)
from tests.admin.rows import ROWS

pytestmark = pytest.mark.django_db

every_role = pytest.mark.parametrize("role", Role)
every_page = pytest.mark.parametrize("name", PAGES)


def names_of_addresses(patterns: Any = None) -> Iterator[str]:
    """The names of all addresses of the admin that have one."""
    if patterns is None:
        everything: list[Any] = get_resolver().url_patterns
        [patterns] = [each.url_patterns for each in everything if _is_admin(each)]
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_of_addresses(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name is not None:
            yield pattern.name


def _is_admin(pattern: Any) -> bool:
    return isinstance(pattern, URLResolver) and pattern.app_name == "admin"


def address(name: str, page: Page) -> str:
    """The address of the page, on a row that is made for it."""
    args = [] if page.stands_on is None else [ROWS[page.stands_on]().pk]
    where = reverse(f"admin:{name}", args=args or None, kwargs=page.others or None)
    return f"{where}?{page.query}" if page.query else where


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row but those of sessions."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label != "sessions"]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


def without_sign_ins(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    users = [{**user, "last_login": None} for user in rows["accounts.User"]]
    events = [
        event for event in rows["audit.AuditEvent"] if event["act"] not in (audit.Act.SIGNED_IN, audit.Act.SIGNED_OUT)
    ]
    return {**rows, "accounts.User": users, "audit.AuditEvent": events}


def test_every_page_of_the_admin_is_in_the_table() -> None:
    assert set(names_of_addresses()) - DOORS - NO_PAGES == set(PAGES)


def test_every_action_is_in_the_table() -> None:
    registry: dict[type[Model], Any] = admin.site._registry
    listed = {
        (model._meta.label_lower, name)
        for model, model_admin in registry.items()
        for name in [action.name for action in model_admin._get_base_actions()]
    }

    assert listed == set(ACTIONS)


def test_every_inline_is_in_the_table() -> None:
    inlines = {
        (model._meta.label_lower, inline.model._meta.label_lower)
        for model, model_admin in admin.site._registry.items()
        for inline in model_admin.inlines
    }

    assert inlines == set(INLINES)


def outcome(answer: Any) -> object:
    """The status; for whoever is asked to sign in first, that."""
    if answer.status_code == 302 and "/login/" in answer.headers["Location"]:
        return "sign in"
    return answer.status_code


def expected(allowed: Roles, status: int) -> dict[Role, object]:
    """The outcome for each role, when the allowed ones get the status."""
    refused: dict[Role, object] = {role: 403 if role in STAFF else "sign in" for role in Role}
    return refused | dict.fromkeys(allowed, status)


@every_page
def test_page_opens_for_whom_it_should(client: Client, name: str) -> None:
    page = PAGES[name]
    where = address(name, page)
    outcomes = {}

    for role in Role:
        sign_in(client, role)
        outcomes[role] = outcome(client.get(where))
        client.logout()

    assert outcomes == expected(page.opens, page.opened)


@every_page
def test_page_takes_a_form_from_whom_it_should(client: Client, name: str) -> None:
    page = PAGES[name]
    where = address(name, page)
    people = {role: sign_in(client, role) for role in Role}
    before = all_rows()
    outcomes = {}

    for role, user in people.items():
        client.logout()
        if user is not None:
            client.force_login(user)
        outcomes[role] = outcome(client.post(where))

    assert outcomes == expected(page.sends, page.sent)
    assert without_sign_ins(all_rows()) == without_sign_ins(before)


@every_role
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_act_is_done_by_whom_it_should(client: Client, role: Role, act: Act) -> None:
    send = act.prepare()
    sign_in(client, role)
    before = all_rows()

    answer = send(client)

    if role in act.allowed:
        assert answer.status_code == 302, act.name
        assert all_rows() != before
    else:
        assert answer.status_code in (200, 302, 403)
        assert all_rows() == before


def permission_request(client: Client, role: Role) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = sign_in(client, role) or AnonymousUser()
    return request


@pytest.mark.parametrize(("label", "action"), ACTIONS)
def test_list_offers_an_action_to_whom_it_should(client: Client, label: str, action: str) -> None:
    model_admin = admin.site.get_model_admin(apps.get_model(label))

    offered = {role for role in Role if action in model_admin.get_actions(permission_request(client, role))}

    assert offered == ACTIONS[label, action]


@every_role
@pytest.mark.parametrize(("label", "lines"), INLINES)
def test_lines_are_written_by_whom_they_should(client: Client, role: Role, label: str, lines: str) -> None:
    model = apps.get_model(label)
    row = ROWS[model]()
    request = permission_request(client, role)
    shown = admin.site.get_model_admin(model).get_inline_instances(request, row)
    inline = next((each for each in shown if each.model._meta.label_lower == lines), None)

    if inline is None:
        assert role not in STAFF
        return
    rights = [inline.has_add_permission, inline.has_change_permission, inline.has_delete_permission]
    assert {bool(right(request, row)) for right in rights} == {role in INLINES[label, lines]}


@every_page
def test_no_link_leads_where_the_role_may_not_go(client: Client, name: str) -> None:
    page = PAGES[name]
    where = address(name, page)

    for role in sorted(page.opens if page.opened == 200 else ()):
        sign_in(client, role)
        links = {unescape(link) for link in re.findall(r'<a\b[^>]*\bhref="(/admin/[^"#]*)"', client.get(where).text)}
        assert not {link for link in links if client.get(link).status_code == 403}, role
        client.logout()


@every_page
def test_support_is_shown_no_button_that_writes(client: Client, name: str) -> None:
    page = PAGES[name]
    if Role.SUPPORT not in page.opens or name in ("password_change", "contracts_import_export"):
        return
    where = address(name, page)
    sign_in(client, Role.SUPPORT)

    html = client.get(where).text

    main = html[html.find('id="content-start"') :]
    forms = re.findall(r"<form\b[^>]*>.*?</form>", main, re.DOTALL)
    writing = [form for form in forms if re.search(r'\bmethod="post"', form, re.IGNORECASE)]
    buttons = [
        button for form in writing for button in re.findall(r'<button\b[^>]*>|<input[^>]*type="submit"[^>]*>', form)
    ]
    assert not buttons
    assert not re.search(r'class="(addlink|changelink|deletelink)"', main)


def test_support_reads_everything_and_changes_nothing() -> None:
    codenames = set(group(Role.SUPPORT).permissions.values_list("content_type__app_label", "codename"))

    assert {codename.split("_")[0] for _app, codename in codenames} == {"view"}
    assert codenames == {(model._meta.app_label, f"view_{model._meta.model_name}") for model in _seen_at_the_desk()}


def _seen_at_the_desk() -> set[type[Model]]:
    lines = {inline.model for model_admin in admin.site._registry.values() for inline in model_admin.inlines}
    return {*admin.site._registry, *lines}


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.CATALOGUE, Role.CONTRACTS])
def test_no_role_gives_rights(role: Role) -> None:
    held = set(group(role).permissions.values_list("codename", flat=True))

    assert not held & {f"{way}_{model}" for way in ("add", "change", "delete") for model in ("group", "permission")}


def test_roles_hold_permissions_of_django_s_own_making() -> None:
    """None was made twice: Django, which makes permissions after migrating, found those of the migration."""
    kinds = Permission.objects.values_list("content_type", "codename")

    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("model", [Purchase, License, StockMovement])
def test_nobody_deletes_what_happened(client: Client, model: type[Model]) -> None:
    row = ROWS[model]()
    sign_in(client, Role.SUPERUSER)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    page = client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"})
    client.post(
        reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    )

    assert page.status_code == 403
    assert model._base_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.CATALOGUE, Role.CONTRACTS])
def test_staff_cannot_raise_their_own_rights(client: Client, role: Role) -> None:
    user = sign_in(client, role)
    assert isinstance(user, User)
    everything = list(Permission.objects.values_list("pk", flat=True))
    mine = {"email": user.email, "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    rights = {"groups": [group(Role.CONTRACTS).pk], "user_permissions": everything}

    client.post(reverse("admin:accounts_user_change", args=[user.pk]), mine | rights)
    client.post(
        reverse("admin:auth_group_change", args=[group(role).pk]), {"name": role.value, "permissions": everything}
    )
    client.post(reverse("admin:auth_group_add"), {"name": "Mine", "permissions": everything})

    user = User.objects.get(pk=user.pk)
    assert not user.is_superuser
    assert [each.name for each in user.groups.all()] == [role]
    assert not user.user_permissions.exists()
    assert group(role).permissions.count() < len(everything)
