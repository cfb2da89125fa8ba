"""Where one comes in, and where one looks after how.

The names are those that allauth looks up; only the pages that we have stand here.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from accounts.middleware import for_everyone
from identity import views
from identity.views import act_of_ours, page_of_ours

sign_in = page_of_ours(account.login)
security = page_of_ours(mfa.index)

urlpatterns = [
    path("login/", sign_in, name="login"),
    path("login/", sign_in, name="account_login"),
    path("login/code/", page_of_ours(views.SecondStep.as_view()), name="mfa_authenticate"),
    path("login/passkey/", page_of_ours(views.PasskeySignIn.as_view()), name="mfa_login_webauthn"),
    path("security/confirm/", page_of_ours(account.reauthenticate), name="account_reauthenticate"),
    path("security/confirm/code/", page_of_ours(mfa.reauthenticate), name="mfa_reauthenticate"),
    path(
        "security/confirm/passkey/", page_of_ours(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"
    ),
    path("logout/", for_everyone(LogoutView.as_view()), name="logout"),
    path("signup/", page_of_ours(account.signup), name="account_signup"),  # says that there is none
    path("invitations/<str:token>/", views.invitation, name="invitation"),
    path("password/forgotten/", page_of_ours(account.password_reset), name="account_reset_password"),
    path("password/forgotten/sent/", page_of_ours(account.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        act_of_ours(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("security/", security, name="mfa_index"),
    path("security/", security, name="mfa_list_webauthn"),
    path("security/password/", act_of_ours(account.password_change), name="account_change_password"),
    path("security/sessions/", views.sessions, name="usersessions_list"),
    path("security/app/", act_of_ours(totp.activate_totp), name="mfa_activate_totp"),
    path("security/app/remove/", act_of_ours(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("security/codes/", page_of_ours(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "security/codes/renew/",
        act_of_ours(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "security/codes/download/",
        page_of_ours(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("security/passkeys/add/", act_of_ours(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("security/passkeys/<int:pk>/rename/", act_of_ours(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    path("security/passkeys/<int:pk>/remove/", act_of_ours(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
]
