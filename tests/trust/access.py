"""Who gets what: every address of the portal by role, for a full page and for htmx alike.

`login` asks to sign in, `goes` leads to another page of ours, a number is the status of an answer that stays.
HEAD answers as GET does. Roles: `stray` is signed in without a reseller; `viewer` and `buyer` are the ones to whom the
rows belong; `other` buys for another reseller; `disabled` had signed in before; `staff` and `superuser` are the
operator's. A draft is its own user's, so that a colleague does not find it either.

An address that is not here fails the tests: add a line for GET and one for POST, and think of each column.
"""

ROLES = ("anonymous", "stray", "viewer", "buyer", "other", "disabled", "staff", "superuser")

PORTAL = """
                            anonymous stray viewer buyer other disabled staff superuser
home                  GET   login     goes  goes   goes  goes  login    goes  goes
home                  POST  login     405   405    405   405   login    405   405
healthz               GET   200       200   200    200   200   200      200   200
healthz               POST  405       405   405    405   405   405      405   405
readyz                GET   200       200   200    200   200   200      200   200
readyz                POST  405       405   405    405   405   405      405   405
set_theme             GET   405       405   405    405   405   405      405   405
set_theme             POST  goes      goes  goes   goes  goes  goes     goes  goes
set_language          GET   405       405   405    405   405   405      405   405
set_language          POST  goes      goes  goes   goes  goes  goes     goes  goes
login                 GET   200       goes  goes   goes  goes  200      goes  goes
login                 POST  422       goes  goes   goes  goes  422      goes  goes
account_login         GET   200       goes  goes   goes  goes  200      goes  goes
account_login         POST  422       goes  goes   goes  goes  422      goes  goes
mfa_authenticate      GET   login     goes  goes   goes  goes  login    goes  goes
mfa_authenticate      POST  login     goes  goes   goes  goes  login    goes  goes
mfa_login_webauthn    GET   200       goes  goes   goes  goes  200      goes  goes
mfa_login_webauthn    POST  login     goes  goes   goes  goes  login    goes  goes
account_signup        GET   200       goes  goes   goes  goes  200      goes  goes
account_signup        POST  200       goes  goes   goes  goes  200      goes  goes
invitation            GET   410       410   410    410   410   410      410   410
invitation            POST  410       410   410    410   410   410      410   410
account_reset_password           GET   200    200   200    200   200   200      200   200
account_reset_password           POST  goes   goes  goes   goes  goes  goes     goes  goes
account_reset_password_done      GET   200    200   200    200   200   200      200   200
account_reset_password_done      POST  405    405   405    405   405   405      405   405
account_reset_password_from_key  GET   200    200   200    200   200   200      200   200
account_reset_password_from_key  POST  422    422   422    422   422   422      422   422
mfa_index                        GET   login  200   200    200   200   login    200   200
mfa_index                        POST  login  405   405    405   405   login    405   405
mfa_list_webauthn                GET   login  200   200    200   200   login    200   200
mfa_list_webauthn                POST  login  405   405    405   405   login    405   405
account_change_password          GET   login  200   200    200   200   login    200   200
account_change_password          POST  login  422   422    422   422   login    422   422
account_reauthenticate           GET   login  200   200    200   200   login    200   200
account_reauthenticate           POST  login  goes  goes   goes  goes  login    goes  goes
mfa_reauthenticate               GET   login  goes  goes   goes  goes  login    goes  goes
mfa_reauthenticate               POST  login  goes  goes   goes  goes  login    goes  goes
mfa_reauthenticate_webauthn      GET   login  goes  goes   goes  goes  login    goes  goes
mfa_reauthenticate_webauthn      POST  login  goes  goes   goes  goes  login    goes  goes
usersessions_list                GET   login  200   200    200   200   login    200   200
usersessions_list                POST  login  goes  goes   goes  goes  login    goes  goes
mfa_activate_totp                GET   login  goes  goes   goes  goes  login    goes  goes
mfa_activate_totp                POST  login  goes  goes   goes  goes  login    goes  goes
mfa_deactivate_totp              GET   login  404   404    404   404   login    404   404
mfa_deactivate_totp              POST  login  404   404    404   404   login    404   404
mfa_view_recovery_codes          GET   login  404   404    404   404   login    404   404
mfa_view_recovery_codes          POST  login  405   405    405   405   login    405   405
mfa_generate_recovery_codes      GET   login  goes  goes   goes  goes  login    goes  goes
mfa_generate_recovery_codes      POST  login  goes  goes   goes  goes  login    goes  goes
mfa_download_recovery_codes      GET   login  404   404    404   404   login    404   404
mfa_download_recovery_codes      POST  login  404   404    404   404   login    404   404
mfa_add_webauthn                 GET   login  goes  goes   goes  goes  login    goes  goes
mfa_add_webauthn                 POST  login  goes  goes   goes  goes  login    goes  goes
mfa_edit_webauthn                GET   login  goes  goes   goes  goes  login    goes  goes
mfa_edit_webauthn                POST  login  goes  goes   goes  goes  login    goes  goes
mfa_remove_webauthn              GET   login  goes  goes   goes  goes  login    goes  goes
mfa_remove_webauthn              POST  login  goes  goes   goes  goes  login    goes  goes
logout                GET   login     405   405    405   405   login    405   405
logout                POST  login     login login  login login login    login login

licenses              GET   login     403   200    200   200   login    403   403
licenses              POST  login     403   405    405   405   login    403   403
licenses_expiring     GET   login     403   200    200   200   login    403   403
licenses_expiring     POST  login     403   405    405   405   login    403   403
licenses_upcoming     GET   login     403   200    200   200   login    403   403
licenses_upcoming     POST  login     403   405    405   405   login    403   403
licenses_expired      GET   login     403   200    200   200   login    403   403
licenses_expired      POST  login     403   405    405   405   login    403   403
licenses_invalid      GET   login     403   200    200   200   login    403   403
licenses_invalid      POST  login     403   405    405   405   login    403   403
license               GET   login     403   200    200   404   login    403   403
license               POST  login     403   405    405   405   login    403   403

stock                 GET   login     403   200    200   200   login    403   403
stock                 POST  login     403   405    405   405   login    403   403
stock_lot             GET   login     403   200    200   404   login    403   403
stock_lot             POST  login     403   405    405   405   login    403   403

purchases             GET   login     403   200    200   200   login    403   403
purchases             POST  login     403   405    405   405   login    403   403
purchase              GET   login     403   200    200   404   login    403   403
purchase              POST  login     403   405    405   405   login    403   403
give_back             GET   login     403   405    405   405   login    403   403
give_back             POST  login     403   409    goes  404   login    403   403

accounts              GET   login     403   200    200   200   login    403   403
accounts              POST  login     403   405    405   405   login    403   403
new_account           GET   login     403   403    200   200   login    403   403
new_account           POST  login     403   403    goes  goes  login    403   403
account               GET   login     403   200    200   404   login    403   403
account               POST  login     403   405    405   405   login    403   403
edit_account          GET   login     403   403    200   404   login    403   403
edit_account          POST  login     403   403    goes  404   login    403   403
make_account_paid     GET   login     403   405    405   405   login    403   403
make_account_paid     POST  login     403   403    goes  404   login    403   403

contracts             GET   login     403   200    200   200   login    403   403
contracts             POST  login     403   405    405   405   login    403   403
contract              GET   login     403   200    200   404   login    403   403
contract              POST  login     403   405    405   405   login    403   403

exports               GET   login     403   200    200   200   login    403   403
exports               POST  login     403   405    405   405   login    403   403
export_licenses       GET   login     403   405    405   405   login    403   403
export_licenses       POST  login     403   200    200   200   login    403   403
export_stock_lots     GET   login     403   405    405   405   login    403   403
export_stock_lots     POST  login     403   200    200   200   login    403   403

start_purchase        GET   login     403   405    405   405   login    403   403
start_purchase        POST  login     403   403    goes  404   login    403   403
resume_draft          GET   login     403   404    goes  404   login    403   403
resume_draft          POST  login     403   405    405   405   login    403   403
delete_draft          GET   login     403   405    405   405   login    403   403
delete_draft          POST  login     403   404    goes  404   login    403   403
contract_step         GET   login     403   404    200   404   login    403   403
contract_step         POST  login     403   404    goes  404   login    403   403
account_step          GET   login     403   404    200   404   login    403   403
account_step          POST  login     403   404    goes  404   login    403   403
product_step          GET   login     403   404    200   404   login    403   403
product_step          POST  login     403   404    goes  404   login    403   403
quantity_step         GET   login     403   404    200   404   login    403   403
quantity_step         POST  login     403   404    goes  404   login    403   403
stock_step            GET   login     403   404    200   404   login    403   403
stock_step            POST  login     403   404    goes  404   login    403   403
preview_step          GET   login     403   404    200   404   login    403   403
preview_step          POST  login     403   405    405   405   login    403   403
buy                   GET   login     403   405    405   405   login    403   403
buy                   POST  login     403   404    goes  404   login    403   403
"""


def expected_answers(table: str) -> dict[tuple[str, str], dict[str, str]]:
    """The answers by role, for each address and method of a table."""
    head, *lines = [line.split() for line in table.splitlines() if line.strip()]
    assert tuple(head) == ROLES
    return {(name, method): dict(zip(ROLES, answers, strict=True)) for name, method, *answers in lines}
