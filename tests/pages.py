"""What tests read from a page's HTML."""

import gzip
import re

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


def text_of(html: str) -> str:
    """What a reader sees, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def links_in(html: str, *, rel: str) -> list[str]:
    """The addresses of the links to the previous or next page."""
    return [link.replace("&amp;", "&") for link in re.findall(rf'rel="{rel}" href="([^"]*)"', html)]


def without_token(html: str) -> str:
    """The page without what differs each time it is made."""
    return _TOKEN.sub("", html)


def weight(html: str) -> int:
    """Bytes on the wire."""
    return len(gzip.compress(html.encode(), 9))
