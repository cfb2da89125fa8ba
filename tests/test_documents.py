"""The documents: what they point to is there."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def without_examples(document: Path) -> str:
    """The text without its indented blocks, which hold commands."""
    return re.sub(r"(?m)^    .*$", "", document.read_text())


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", without_examples(document))

    assert [target for target in targets if not (document.parent / target).exists()] == []


@every_document
def test_files_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"`([\w.-]+/[\w./-]*)`", without_examples(document))

    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("command", ["python3 dev.py run", "python3 dev.py test"])
def test_readme_shows_the_two_commands(command: str) -> None:
    assert f"\n    {command}\n" in (ROOT / "README.md").read_text()
