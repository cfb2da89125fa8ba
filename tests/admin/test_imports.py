"""The pages on which files come in and go out."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from contracts.models import Contract, ContractProduct, Import
from listing.uploads import MOST_BYTES
from tests.admin.others import held_elsewhere
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractProductFactory,
    OperatorFactory,
    ProductFactory,
    ResellerFactory,
)
from tests.listing.test_uploads import BROKEN_WORKBOOKS, saved

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

pytestmark = pytest.mark.django_db

UPLOAD = "/admin/contracts/import/add/"
EXPORT = "/admin/contracts/import/export/"
HEAD = "contract,sku,unit_price\n"


def upload(desk: Client, data: str | bytes, *, content: str = "prices", name: str = "list.csv") -> "Page":
    file = SimpleUploadedFile(name, data.encode() if isinstance(data, str) else data)
    return desk.post(UPLOAD, {"content": content, "file": file})


def shown(desk: Client, data: str | bytes, **options: Any) -> "Page":
    """The dry run of what is uploaded."""
    answer = upload(desk, data, **options)
    assert answer.status_code == 302, unescape(answer.content.decode())
    return desk.get(answer.headers["Location"])


def confirm(desk: Client, dry_run: "Page", *, reason: str = "New year") -> "Page":
    return desk.post(
        dry_run.request["PATH_INFO"], {"fingerprint": dry_run.context["dry_run"].fingerprint, "reason": reason}
    )


def text(page: "Page") -> str:
    return " ".join(unescape(page.content.decode()).split())


def exported(desk: Client, content: str, kind: str, **narrowed: Any) -> bytes:
    answer = desk.post(EXPORT, {"content": content, "kind": kind, "reseller": "", "status": "", **narrowed})
    assert answer.status_code == 200
    return answer.getvalue()


def staff(*rights: str) -> User:
    user = OperatorFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


@pytest.fixture
def line() -> ContractProduct:
    return ContractProductFactory(contract=ContractFactory(number="C-1"), product=ProductFactory(sku="DEV"))


def price(line: ContractProduct) -> str:
    line.refresh_from_db()
    return str(line.unit_price)


def test_a_file_is_shown_first_and_written_when_that_is_confirmed(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")

    assert "Import 1 row" in text(dry_run)
    assert "<del>100.00</del> → <ins>120.00</ins>" in text(dry_run)
    assert price(line) == "100.00"

    answer = confirm(desk, dry_run)

    assert answer.status_code == 302
    assert price(line) == "120.00"
    after = desk.get(answer.headers["Location"])
    assert "0 new, 1 changed" in text(after)
    assert Import.objects.get().rows == []


def test_pressing_twice_imports_once(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")

    confirm(desk, dry_run)
    ContractProduct.objects.filter(pk=line.pk).update(unit_price=5)
    answer = confirm(desk, dry_run)

    assert answer.status_code == 302
    assert "0 new, 1 changed" in text(desk.get(answer.headers["Location"]))
    assert price(line) == "5.00"


def test_errors_come_first_and_nothing_can_be_imported(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\nC-9,DEV,1\n")

    assert [effect.line for effect, _label in dry_run.context["rows"]] == [3, 2]
    assert "Column A, contract: There is no contract “C-9”." in text(dry_run)
    assert "Nothing can be imported while there are errors" in text(dry_run)
    assert confirm(desk, dry_run).status_code == 302
    assert price(line) == "100.00"


def test_a_change_since_the_dry_run_shows_a_new_one(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")
    ContractProduct.objects.filter(pk=line.pk).update(unit_price=110)

    answer = confirm(desk, dry_run)

    assert answer.status_code == 409
    assert "Something changed since this was shown" in text(answer)
    assert "<del>110.00</del> → <ins>120.00</ins>" in text(answer)
    assert price(line) == "110.00"
    assert confirm(desk, answer).status_code == 302
    assert price(line) == "120.00"


def test_a_contract_that_is_closed_since_the_dry_run_is_not_written(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")
    Contract.objects.filter(pk=line.contract_id).update(status=Contract.Status.CLOSED)

    assert confirm(desk, dry_run).status_code == 409
    assert price(line) == "100.00"


def test_a_reason_is_needed(desk: Client, line: ContractProduct) -> None:
    answer = confirm(desk, shown(desk, HEAD + "C-1,DEV,120\n"), reason=" ")

    assert answer.status_code == 200
    assert "Error:" in text(answer)
    assert price(line) == "100.00"


def test_an_upload_is_forgotten_after_a_day(desk: Client, operator: User, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")

    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        desk.force_login(operator)
        assert confirm(desk, dry_run).headers["Location"] == UPLOAD
        assert desk.get(dry_run.request["PATH_INFO"]).headers["Location"] == UPLOAD
        upload(desk, HEAD + "C-1,DEV,130\n")

    assert price(line) == "100.00"
    assert Import.objects.count() == 1


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_a_contract_in_use_for_too_long_is_told(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")

    with held_elsewhere(line.contract):
        answer = confirm(desk, dry_run)

    assert answer.status_code == 302
    assert price(line) == "100.00"
    assert confirm(desk, dry_run).status_code == 302
    assert price(line) == "120.00"


BROKEN_FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nothing": ("list.csv", lambda: b""),
    "UTF-16": ("list.csv", lambda: (HEAD + "C-1,DEV,1\n").encode("utf-16")),
    "Windows-1254": ("list.csv", lambda: (HEAD + "C-1,Şişli,1\n").encode("cp1254")),
    "a million columns": ("list.csv", lambda: b"," * 1_000_000),
    "too many rows": ("list.csv", (HEAD + "C-1,DEV,1\n" * 5_001).encode),
    "3 MB of one cell": ("list.csv", lambda: b"x" * 3_000_000),
    "more than 5 MB": ("list.csv", lambda: b"x" * (MOST_BYTES + 1)),
    "an open quotation mark": ("list.csv", lambda: b'contract,sku\n"C-1,DEV\n'),
    **{broken: ("list.xlsx", make) for broken, (make, _words) in BROKEN_WORKBOOKS.items() if broken != "too many rows"},
}


@pytest.mark.parametrize("content", ["prices", "contracts"])
@pytest.mark.parametrize("broken", BROKEN_FILES)
def test_a_broken_file_is_reported_at_the_field_and_kept_nowhere(desk: Client, broken: str, content: str) -> None:
    name, make = BROKEN_FILES[broken]
    data = make()
    started = process_time()

    answer = upload(desk, data, content=content, name=name)

    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert "Error:" in text(answer)
    assert not Import.objects.exists()
    assert process_time() - started < 2  # of this process alone, however busy the machine is


BROKEN_ROWS = {
    "a formula": "C-1,DEV,=1+1\n",
    "a number that is none": "C-1,DEV,NaN\n",
    "a decimal comma": 'C-1,DEV,"120,50"\n',
    "a product twice": "C-1,DEV,1\nC-1,DEV,2\n",
    "more cells than headings": "C-1,DEV,1,2,3\n",
}


@pytest.mark.parametrize("broken", BROKEN_ROWS)
def test_a_broken_row_is_shown_with_line_column_and_reason(desk: Client, line: ContractProduct, broken: str) -> None:
    dry_run = shown(desk, HEAD + BROKEN_ROWS[broken])

    assert dry_run.status_code == 200
    first, _label = dry_run.context["rows"][0]
    assert first.line == 2
    assert first.problems
    assert not dry_run.context["dry_run"].is_possible
    assert price(line) == "100.00"


@pytest.mark.parametrize("headings", ["contract,unit_price", "contract,sku,cost", "contract,sku,sku", ",,x"])
def test_wrong_headings_are_shown(desk: Client, line: ContractProduct, headings: str) -> None:
    dry_run = shown(desk, f"{headings}\nC-1,DEV,1\n")

    assert dry_run.context["dry_run"].problems
    assert "Nothing can be imported while there are errors" in text(dry_run)


def test_a_file_of_headings_alone_imports_nothing(desk: Client) -> None:
    assert "There is nothing to import" in text(shown(desk, HEAD))


def test_formulas_in_a_workbook_are_shown(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, saved(["contract", "sku", "unit_price"], ["C-1", "DEV", "=100+20"]), name="list.xlsx")

    assert "Column C, unit_price: “=100+20” is a formula." in text(dry_run)


def test_a_file_of_three_megabytes_is_read(desk: Client) -> None:
    rows = "".join(f"C-1,{number:0620},1\n" for number in range(4_800))

    answer = upload(desk, HEAD + rows)

    assert len(rows) > 2_900_000
    assert answer.status_code == 302
    assert Import.objects.get().row_count == 4_800
    assert desk.get(answer.headers["Location"]).context["dry_run"].count("error") == 4_800


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("content", ["prices", "contracts"])
def test_what_was_exported_is_imported_again_without_a_change(desk: Client, content: str, kind: str) -> None:
    reseller = ResellerFactory()
    contract = ContractFactory(
        reseller=reseller,
        title="=1+1  “İstanbul”; 'x'",
        conditions="One,\ntwo\n\n-three",
        ends_on="2030-12-31",
        end_rule="contract_end",
        requires_po_number=True,
    )
    contract.exclusive_accounts.set(
        AccountFactory(reseller=reseller, reference=reference) for reference in ("A;1", 'B"2', "-Ç 3")
    )
    ContractFactory(title="'=x", status="closed", starts_on="1900-01-01")
    ContractProductFactory(contract=contract, product=ProductFactory(sku="=SKU"), unit_price="0.10")
    ContractProductFactory(maximum_quantity=7, is_active=False)

    dry_run = shown(desk, exported(desk, content, kind), content=content, name=f"list.{kind}").context["dry_run"]

    assert not dry_run.problems
    assert [effect for effect in dry_run.effects if effect.kind != "unchanged"] == []
    assert len(dry_run.effects) == (2 if content == "prices" else 3)


def test_an_export_is_narrowed_by_reseller_and_status(desk: Client) -> None:
    wanted = ContractFactory(number="C-1")
    ContractFactory(number="C-2", reseller=wanted.reseller, status="draft")
    ContractFactory(number="C-3")

    file = exported(desk, "contracts", "csv", reseller=wanted.reseller_id, status="active").decode()

    assert [number for number in ("C-1", "C-2", "C-3") if number in file] == ["C-1"]


def test_a_long_dry_run_has_pages_and_can_be_narrowed(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,100\n" + "".join(f"C-1,X{number},1\n" for number in range(150)))
    where = dry_run.request["PATH_INFO"]

    assert len(dry_run.context["rows"]) == 100
    assert len(desk.get(where, {"page": "2"}).context["rows"]) == 51
    assert [effect.about for effect, _label in desk.get(where, {"show": "unchanged"}).context["rows"]] == ["C-1 · DEV"]
    assert len(desk.get(where, {"show": "nonsense", "page": "x"}).context["rows"]) == 0


def test_who_may_change_only_prices_imports_only_prices(client: Client, line: ContractProduct) -> None:
    client.force_login(staff("view_contractproduct", "add_contractproduct", "change_contractproduct"))

    assert [value for value, _label in client.get(UPLOAD).context["form"].fields["content"].choices] == ["prices"]
    assert upload(client, "number\nC-1\n", content="contracts").status_code == 200
    assert confirm(client, shown(client, HEAD + "C-1,DEV,120\n")).status_code == 302
    assert price(line) == "120.00"


def test_support_looks_and_takes_away_but_imports_nothing(desk: Client, line: ContractProduct) -> None:
    dry_run = shown(desk, HEAD + "C-1,DEV,120\n")
    where = dry_run.request["PATH_INFO"]
    reader = Client()
    reader.force_login(staff("view_contract", "view_contractproduct"))

    assert reader.get(UPLOAD).status_code == 403
    assert upload(reader, HEAD).status_code == 403
    assert "You may look at this" in text(reader.get(where))
    assert confirm(reader, dry_run).status_code == 403
    assert b"C-1" in exported(reader, "prices", "csv")
    assert price(line) == "100.00"


def test_who_may_see_no_contracts_sees_no_files(desk: Client, line: ContractProduct) -> None:
    where = shown(desk, HEAD + "C-1,DEV,120\n").request["PATH_INFO"]
    stranger = Client()
    stranger.force_login(staff("view_user"))

    for page in (UPLOAD, EXPORT, where, reverse("admin:contracts_import_changelist")):
        assert stranger.get(page).status_code == 403


def test_a_list_of_uploads_reads_none_of_their_rows(desk: Client, line: ContractProduct) -> None:
    upload(desk, HEAD + "C-1,DEV,120\n")

    with CaptureQueriesContext(connection) as captured:
        desk.get(reverse("admin:contracts_import_changelist"))

    assert not any('"rows"' in query["sql"] for query in captured.captured_queries)


def test_the_list_of_contracts_leads_to_what_the_user_may_do(desk: Client, line: ContractProduct) -> None:
    reader = Client()
    reader.force_login(staff("view_contract", "view_contractproduct"))

    for_operators = desk.get(reverse("admin:contracts_contract_changelist")).content.decode()
    for_readers = reader.get(reverse("admin:contracts_contract_changelist")).content.decode()

    assert UPLOAD in for_operators
    assert EXPORT in for_operators
    assert UPLOAD not in for_readers
    assert EXPORT in for_readers
