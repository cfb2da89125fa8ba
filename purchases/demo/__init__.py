"""The demo: what `manage.py seed_demo` loads, one module per kind of record.

Rows are recognized by their number, reference, SKU or e-mail, so a second run finds them again. What is
set up (people, products, contracts) is put back as the demo has it; what has happened (purchases,
licenses, stock movements) is only ever added.
"""
