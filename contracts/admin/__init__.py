"""The operator's pages of contracts."""

from contracts.admin.contract import ContractAdmin
from contracts.admin.imports import ImportAdmin
from contracts.admin.matrix import ResellerWithGrantsAdmin

__all__ = ["ContractAdmin", "ImportAdmin", "ResellerWithGrantsAdmin"]
