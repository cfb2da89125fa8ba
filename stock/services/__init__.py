"""The ledger of stock, one module per act. It knows nothing of purchases.

Whoever changes a lot holds it first, lots in order of primary key (`StockLotQuerySet.locked`), and writes the
change and its movement together (`movements.write`).
"""
