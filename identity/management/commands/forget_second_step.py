"""Let somebody in again who has lost app, passkeys and recovery codes, and whom no colleague can help."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from identity.services import forget_second_step


class Command(BaseCommand):
    help = "Take the second step of a user away, who then signs in with the password alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="The user's e-mail address.")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        done = forget_second_step(user, by=None)
        self.stdout.write("The second step was taken away." if done else "There was no second step.")
