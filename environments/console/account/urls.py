"""The addresses of a person's own pages; allauth goes by their names."""

from django.urls import path

from environments.console.account import factors, overview, passwords, sign_in

urlpatterns = [
    path("login/", sign_in.SignIn.as_view(), name="account_login"),
    path("logout/", sign_in.sign_out, name="account_logout"),
    path("password_change/", passwords.ChangePassword.as_view(), name="account_change_password"),
    path("account/", overview.Overview.as_view(), name="account_overview"),
    path("account/sessions/", overview.Sessions.as_view(), name="account_sessions"),
    path("account/identity/", factors.ConfirmIdentity.as_view(), name="account_reauthenticate"),
    path("account/password/reset/", passwords.AskForReset.as_view(), name="account_reset_password"),
    path("account/password/reset/asked/", passwords.ResetAsked.as_view(), name="account_reset_password_done"),
    path(
        "account/password/reset/<str:uidb64>/<str:token>/",
        passwords.Reset.as_view(),
        name="account_reset_password_from_key",
    ),
    path("account/second-factor/", factors.Enrol.as_view(), name="mfa_activate_totp"),
    path("account/second-factor/sign-in/", sign_in.SecondStep.as_view(), name="mfa_authenticate"),
    path("account/second-factor/prove/", factors.Prove.as_view(), name="mfa_reauthenticate"),
    path("account/second-factor/codes/", factors.RenewCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("account/second-factor/off/", factors.Remove.as_view(), name="mfa_deactivate_totp"),
]
NAMES = frozenset(str(pattern.name) for pattern in urlpatterns)
