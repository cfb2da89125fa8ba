"""The stylesheet, the scripts and the pages that every other page stands on."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import django.contrib.admin
import pytest
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings

from tests.factories import OperatorFactory, UserFactory

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"

TAG = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
CLASSES = re.compile(r'class="((?:{%.*?%}|{{.*?}}|[^"])*)"', re.DOTALL)


def weight(*paths: Path) -> int:
    """Bytes on the wire."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def classes_of(*stylesheets: Path) -> set[str]:
    text = "".join(path.read_text() for path in stylesheets)
    names = re.findall(r"\.((?:\\.|[\w-])+)", text)
    return {re.sub(r"\\(.)", r"\1", name) for name in names}


def known_classes(place: str) -> set[str]:
    """Those of the stylesheets that a template loads: the operator's desk has Django's own, and a small one of ours."""
    if place.startswith("templates/admin/"):
        djangos = Path(django.contrib.admin.__file__).parent / "static" / "admin" / "css"
        return classes_of(STATIC / "css" / "admin.css", *djangos.glob("*.css"))
    return classes_of(STATIC / "css" / "app.css")


def classes_in(source: str) -> Iterator[str]:
    """Every class that the text of a template may give an element; computed parts become `*`."""
    for value in CLASSES.findall(source):
        yield from re.sub(r"{{.*?}}", "*", TAG.sub(" ", value)).split()


def classes_of_the_pages() -> Iterator[tuple[str, str]]:
    for path in sorted(TEMPLATES.rglob("*.html")):
        for name in classes_in(path.read_text()):
            yield path.relative_to(ROOT).as_posix(), name
    for path in sorted(ROOT.glob("[a-z]*/**/*.py")):
        if path.is_relative_to(ROOT / "tests") or "node_modules" in path.parts:
            continue
        for value in re.findall(r'"class": "([\w :/-]*)"', path.read_text()):
            for name in value.split():
                yield path.relative_to(ROOT).as_posix(), name


def test_classes_in_reads_tags_branches_and_computed_parts() -> None:
    source = '<p class="a{% if x == "y" %} b{% else %} c{% endif %} d-{{ e }}">{% include "f" with g_class="h i" %}'

    assert list(classes_in(source)) == ["a", "b", "c", "d-*", "h", "i"]


def test_every_class_of_a_template_is_in_the_stylesheet() -> None:
    known_at = {place: known_classes(place) for place in {place for place, _name in classes_of_the_pages()}}

    missing = {
        (place, name)
        for place, name in classes_of_the_pages()
        if name not in (known := known_at[place])
        and name != "*"
        and not ("*" in name and any(re.fullmatch(re.escape(name).replace(r"\*", ".+"), other) for other in known))
    }

    assert missing == set(), "Add these to static/src/vocabulary.css, then run: python3 dev.py css"


def test_no_template_styles_or_scripts_inline() -> None:
    inline = re.compile(
        r'\sstyle="|<style|<script(?![^>]*\s(?:src=|type="application/json"))|\son[a-z]+="|hx-on|hx-boost|"js:'
    )

    assert [
        path.relative_to(ROOT).as_posix() for path in TEMPLATES.rglob("*.html") if inline.search(path.read_text())
    ] == []


def test_the_stylesheet_is_light_and_asks_for_nothing() -> None:
    stylesheet = STATIC / "css" / "app.css"

    assert weight(stylesheet) <= 23 * 1000
    assert not re.search(r"url\(|@import", stylesheet.read_text())


def test_the_scripts_are_light() -> None:
    scripts = [STATIC / "vendor" / "htmx.min.js", STATIC / "js" / "portal.js"]
    desk = STATIC / "js" / "desk.js"

    assert sorted((STATIC / "js").iterdir()) + sorted((STATIC / "vendor").glob("*.js")) == [desk, *scripts[::-1]]
    assert weight(desk) <= 1200
    assert weight(STATIC / "js" / "portal.js") <= 600
    assert weight(*scripts) <= 14 * 1000


def test_htmx_is_the_file_that_was_published() -> None:
    notice = (STATIC / "vendor" / "README.md").read_text()
    script = (STATIC / "vendor" / "htmx.min.js").read_bytes()

    assert f"`{hashlib.sha256(script).hexdigest()}`" in notice
    assert b"version='4.0.1'" in script or b'version="4.0.1"' in script
    assert "| 4.0.1 |" in notice


def test_the_packages_of_the_stylesheet_name_no_host() -> None:
    lock = json.loads((STATIC / "src" / "package-lock.json").read_text())

    assert lock["packages"]["node_modules/daisyui"]["version"] == "5.8.1"
    assert lock["packages"]["node_modules/tailwindcss"]["version"] == "4.3.5"
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_the_notice_of_the_icons_is_kept() -> None:
    assert "MIT License" in (TEMPLATES / "icons" / "LICENSE").read_text()


@pytest.mark.parametrize("template", ["500.html", "503.html"])
@pytest.mark.parametrize("language", ["en", "tr"])
def test_pages_of_trouble_need_neither_request_nor_database(
    template: str, language: str, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.block(), translation.override(language):
        html = render_to_string(template)

    assert f'<html lang="{language}">' in html
    assert "<h1" in html
    assert "<form" not in html


@pytest.mark.django_db
def test_unknown_addresses_are_answered_with_the_shell(client: Client) -> None:
    signed_out = client.get("/no-such-page/")
    user = UserFactory()
    client.force_login(user)
    signed_in = client.get("/no-such-page/")

    assert signed_out.status_code == signed_in.status_code == 404
    assert "<nav" not in signed_out.text
    assert "<nav" in signed_in.text
    assert user.email in signed_in.text
    assert "All dates in Europe/Istanbul" in signed_in.text


@pytest.mark.django_db
def test_every_page_of_the_shell_is_light(client: Client) -> None:
    client.force_login(UserFactory())

    assert len(gzip.compress(client.get("/no-such-page/").content, 9)) <= 3 * 1000


@pytest.mark.django_db
def test_operators_without_reseller_are_shown_to_the_admin(client: Client) -> None:
    client.force_login(OperatorFactory())

    answer = client.get("/licenses/")

    assert answer.status_code == 403
    assert 'href="/admin/"' in answer.text
    assert 'action="/logout/"' in answer.text


@pytest.mark.django_db
def test_users_without_reseller_and_desk_are_not_sent_to_the_admin(client: Client) -> None:
    client.force_login(UserFactory(reseller=None))

    answer = client.get("/licenses/")

    assert answer.status_code == 403
    assert 'href="/admin/"' not in answer.text


@pytest.mark.django_db
def test_theme_is_kept_in_a_cookie_and_given_back_to_the_system(client: Client) -> None:
    chosen = client.post("/theme/", {"theme": "dark", "next": "/stock/?page=2"})
    dark = client.get("/login/")
    given_back = client.post("/theme/", {"theme": "system"}, headers={"Referer": "http://testserver/purchases/"})

    assert chosen.headers["Location"] == "/stock/?page=2"
    assert '<html lang="en" data-theme="dark">' in dark.text
    assert given_back.headers["Location"] == "http://testserver/purchases/"
    assert client.cookies["theme"].value == ""


@pytest.mark.django_db
@pytest.mark.parametrize("theme", ["", "DARK", "dark' lang='xx", "system"])
def test_an_unknown_theme_is_the_one_of_the_system(client: Client, theme: str) -> None:
    client.cookies["theme"] = theme

    assert '<html lang="en">' in client.get("/login/").text


@pytest.mark.django_db
@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_theme_does_not_lead_to_other_sites(client: Client, elsewhere: str) -> None:
    answer = client.post("/theme/", {"theme": "dark", "next": elsewhere}, headers={"Referer": elsewhere})

    assert answer.headers["Location"] == "/"


@pytest.mark.django_db
def test_maintenance_answers_everything_but_the_health_check(settings: Settings) -> None:
    settings.MAINTENANCE = True
    client = Client()

    page = client.get("/licenses/", headers={"Accept-Language": "tr"})
    health = client.get("/healthz")

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "300"
    assert '<html lang="tr">' in page.text
    assert "Content-Security-Policy" in page.headers
    assert health.status_code == 200


def test_the_error_summary_leads_to_each_field_and_the_field_says_the_same() -> None:
    form = AuthenticationForm(HttpRequest(), {"username": "", "password": "x"})
    form.is_valid()
    form.add_error(None, "Both are needed.")

    summary = render_to_string("parts/error_summary.html", {"form": form})
    at_the_field = render_to_string("parts/field_errors.html", {"field": form["username"]})

    assert '<a href="#id_username">This field is required.</a>' in summary
    assert "<li>Both are needed.</li>" in summary
    assert 'id="id_username_error"' in at_the_field
    assert "This field is required." in at_the_field
    assert form["username"].aria_describedby == "id_username_error"


def test_the_steps_name_the_current_one() -> None:
    chapters = [{"label": label} for label in ("Contract", "Account", "Product", "Quantity", "Preview")]

    html = render_to_string("parts/steps.html", {"chapters": chapters, "step_number": 3})

    assert "Step 3 of 5" in html
    assert re.findall(r'aria-current="step">(\w+)<', html) == ["Product"]
    assert html.count("step-primary") == 3
    assert "<a " not in html
