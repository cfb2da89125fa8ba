"""The operator's pages of purchases, and what the pages of lower apps know of purchases only here."""

from purchases.admin.contract import ContractOnOrdersAdmin
from purchases.admin.records import PurchaseAdmin
from purchases.admin.reseller import ResellerOnTheMarketAdmin

__all__ = ["ContractOnOrdersAdmin", "PurchaseAdmin", "ResellerOnTheMarketAdmin"]
