"""Where the license workspace and the wizard are."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from purchases.models import LicenseState
from purchases.views import accounts, contracts, exports, licenses, records, stock, wizard

WIZARD = "purchases/<uuid:draft_id>/"


class ContractNumber(StringConverter):
    """As the operator writes it, with slashes and all; NUL is nothing that a database could look up."""

    regex = r"[^\x00]+"


register_converter(ContractNumber, "contract_number")

workspace = [
    path("licenses/", licenses.tab, {"state": LicenseState.ACTIVE}, name="licenses"),
    path("licenses/expiring/", licenses.tab, {"state": LicenseState.EXPIRING}, name="licenses_expiring"),
    path("licenses/upcoming/", licenses.tab, {"state": LicenseState.UPCOMING}, name="licenses_upcoming"),
    path("licenses/expired/", licenses.tab, {"state": LicenseState.EXPIRED}, name="licenses_expired"),
    path("licenses/invalid/", licenses.tab, {"state": LicenseState.INVALID}, name="licenses_invalid"),
    path("licenses/<slug:key>/", licenses.license, name="license"),
    path("purchases/", records.purchases, name="purchases"),
    path("purchases/<slug:number>/", records.purchase, name="purchase"),
    path("purchases/<slug:number>/give-back/", records.give_back, name="give_back"),
]

stocks = [
    path("stock/", stock.stock, name="stock"),
    path("stock/<int:lot_id>/", stock.lot, name="stock_lot"),
]

downloads = [
    path("exports/", exports.exports, name="exports"),
    path("exports/licenses/", exports.licenses, name="export_licenses"),
    path("exports/stock-lots/", exports.stock_lots, name="export_stock_lots"),
]

accounts_and_contracts = [
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/new/", accounts.new_account, name="new_account"),
    path("accounts/<int:account_id>/", accounts.account, name="account"),
    path("accounts/<int:account_id>/edit/", accounts.edit_account, name="edit_account"),
    path("accounts/<int:account_id>/make-paid/", accounts.make_account_paid, name="make_account_paid"),
    path("contracts/", contracts.contracts, name="contracts"),
    path("contracts/<contract_number:number>/", contracts.contract, name="contract"),
]

buying = [
    path("purchases/start/", wizard.start, name="start_purchase"),
    path(WIZARD, wizard.resume, name="resume_draft"),
    path(f"{WIZARD}delete/", wizard.delete, name="delete_draft"),
    path(f"{WIZARD}contract/", wizard.contract, name="contract_step"),
    path(f"{WIZARD}account/", wizard.account, name="account_step"),
    path(f"{WIZARD}product/", wizard.product, name="product_step"),
    path(f"{WIZARD}quantity/", wizard.quantity, name="quantity_step"),
    path(f"{WIZARD}stock/", wizard.stock, name="stock_step"),
    path(f"{WIZARD}preview/", wizard.preview, name="preview_step"),
    path(f"{WIZARD}buy/", wizard.buy, name="buy"),
]

# The wizard first: the id of a draft could be taken for the number of a purchase.
urlpatterns = [*buying, *workspace, *stocks, *downloads, *accounts_and_contracts]
