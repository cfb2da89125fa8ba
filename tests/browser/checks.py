"""What browser tests look at, on whatever page is open.

    sign_in(page, user)             signs in through the login page, as a person does
    speak(page, "tr")               the language of all pages from the next one on
    axe_violations(page)            what axe finds, light and dark, on a desktop and on a phone; [] is wanted
    no_horizontal_scroll(page)      whether everything fits, at 320 px and with text twice as large
    small_targets(page)             what is smaller than 24 px and meant to be pressed; [] is wanted
    complaints(page)                what the browser will complain of: breaches of our security policy, script errors

Tests in this folder get a `page` that fails its test by itself when the browser complains (see conftest.py);
use `complaints` for further pages, such as those of a second browser.
"""

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import ConsoleMessage, Page

from accounts.models import User
from tests.factories import PASSWORD

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 640}


def sign_in(page: Page, user: User, *, password: str = PASSWORD) -> None:
    """Sign in through the login page and wait for what follows."""
    page.goto("/login/")
    page.locator("[name=username]").fill(user.email)
    page.locator("[name=password]").fill(password)
    with page.expect_navigation():
        page.locator("[name=password]").press("Enter")


def speak(page: Page, language: str) -> None:
    """Choose the language of all pages that are opened from now on."""
    site = page.evaluate("location.origin")
    page.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}])


def axe_violations(page: Page) -> list[str]:
    """One line for each thing that axe objects to; the page is back as it was afterwards."""
    page.wait_for_load_state()
    found = []
    before = page.viewport_size
    chosen = page.evaluate("document.documentElement.dataset.theme ?? null")
    for theme in ("light", "dark"):
        _wear(page, theme)
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # a dictionary of the wanted shape
            results = Axe().run(page)
            found += [
                f"{page.url} {theme} {size['width']}: {violation['id']}: {node['html']}"
                for violation in results.response["violations"]
                for node in violation["nodes"]
            ]
    _wear(page, chosen)
    if before:
        page.set_viewport_size(before)
    return found


def no_horizontal_scroll(page: Page) -> bool:
    """Whether the page fits 320 px, and a phone whose text is twice as large."""
    before = page.viewport_size
    page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]  # a dictionary of the wanted shape
    fits = _fits(page)
    page.set_viewport_size({"width": 640, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    fits = fits and _fits(page)
    page.evaluate("document.documentElement.style.fontSize = ''")
    if before:
        page.set_viewport_size(before)
    return fits


def small_targets(page: Page) -> list[str]:
    """The markup of every visible target below 24 px; links inside a sentence may be smaller."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select, textarea")]
            .filter((target) => target.checkVisibility() && !target.closest("p, .skip-link, .choice"))
            .filter((target) => {
                const { width, height } = target.getBoundingClientRect();
                return width < 24 || height < 23.5;
            })
            .map((target) => target.outerHTML)"""
    )
    return found


def complaints(page: Page) -> list[str]:
    """A list that fills as the browser complains, from the next page on."""
    heard: list[str] = []
    page.add_init_script(
        """addEventListener("securitypolicyviolation", (breach) =>
            console.error(`Content Security Policy: ${breach.violatedDirective} ${breach.blockedURI}`))"""
    )

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            heard.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def _wear(page: Page, theme: str | None) -> None:
    """Change the theme in place, without the slow change of colors."""
    page.evaluate(
        """(theme) => {
            const root = document.documentElement;
            if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
            document.getAnimations()
                .filter((animation) => animation.effect.getTiming().iterations < 2)
                .forEach((animation) => animation.finish());
        }""",
        theme,
    )


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
