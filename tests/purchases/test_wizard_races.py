"""Pages of a draft that somebody gives up at the very moment at which they are sent."""

from typing import Any

import pytest
from django.db import transaction

from purchases.models import License, Purchase, PurchaseDraft
from tests.purchases.at_once import PATIENCE, Pause, meanwhile
from tests.purchases.orders import an_order
from tests.purchases.wizard import begin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon")]

A_WHILE = 0.5


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("buy", {"fingerprint": "as shown"}),
        ("quantity_step", {"quantity": "9"}),
        ("contract_step", {"contract": "as chosen"}),
        ("delete_draft", {}),
    ],
)
def test_draft_that_is_given_up_elsewhere_meanwhile_is_gone_and_no_server_error(
    name: str, answers: dict[str, Any]
) -> None:
    wizard = begin(an_order())
    wizard.client.raise_request_exception = False
    if "fingerprint" in answers:
        answers = {"fingerprint": wizard.fingerprint()}
    if "contract" in answers:
        answers = {"contract": wizard.draft.contract_id}
    pause = Pause()

    def give_up_slowly() -> None:
        with transaction.atomic():
            PurchaseDraft.objects.filter(pk=wizard.draft.pk).delete()
            pause.reach()

    with meanwhile(give_up_slowly) as giving_up:
        assert pause.is_reached.wait(timeout=PATIENCE)
        with meanwhile(lambda: wizard.post(name, answers)) as sending, pause:
            with pytest.raises(TimeoutError):
                sending.result(timeout=A_WHILE)
            pause.may_go_on.set()
            page = sending.result(timeout=PATIENCE)
        giving_up.result(timeout=PATIENCE)

    assert page.status_code == (303 if name == "delete_draft" else 404)
    assert not PurchaseDraft.objects.exists()
    assert not Purchase.objects.exists()
    assert not License.objects.exists()
