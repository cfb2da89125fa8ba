"""Two people with one link: one of them comes in."""

from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import Act, AuditEvent
from identity.services import InvitationNotOpen, accept_invitation
from tests.identity.test_invitations import an_invited_user
from tests.purchases.at_once import all_at_once

PASSWORDS = ["the first of them", "the second of them", "the third of them", "the fourth of them"]


@pytest.mark.django_db(transaction=True)
def test_link_that_several_people_use_at_once_works_once() -> None:
    user, token = an_invited_user()

    outcomes = all_at_once(
        [partial(accept_invitation, token, password=password, now=timezone.now()) for password in PASSWORDS]
    )

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvitationNotOpen) for outcome in outcomes) == len(PASSWORDS) - 1
    user.refresh_from_db()
    came_in = next(number for number, outcome in enumerate(outcomes) if isinstance(outcome, User))
    assert user.check_password(PASSWORDS[came_in])
    assert AuditEvent.objects.filter(act=Act.JOINED).count() == 1
