"""The records of the ledger: access, who has what, and what an administrator does with them."""
