"""Long lists: one page at the cost of one page, wherever it lies, and counts that stop counting.

Beside `text` the lowest layer: it knows no record of the domain.
"""
