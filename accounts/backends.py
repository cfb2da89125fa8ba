"""Who may be signed in."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser

from accounts.models import User


class ActiveResellerBackend(ModelBackend):
    """E-mail and password, for active users of active resellers and for active staff.

    Django asks at every request, so disabling a user or a reseller ends their sessions at the next one.
    """

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        if not isinstance(user, User) or not super().user_can_authenticate(user):
            return False
        return user.reseller is None or user.reseller.is_active

    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("reseller").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
