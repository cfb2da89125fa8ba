"""Plain helpers for what people type and read: folding, cleaning, codes, amounts and dates.

The lowest layer: it knows no record of the domain.
"""
