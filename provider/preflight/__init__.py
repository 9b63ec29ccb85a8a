"""Checks whether images can be distributed: what the service will need once an image is ready. Read-only.

The core is pure. `subjects` finds the values to check by a walk over the schema, `checks` has one row per check, and
`run` executes them. A check yields each `Read` that it needs as data; `reader` makes the calls.
"""
