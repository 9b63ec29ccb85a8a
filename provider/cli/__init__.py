"""The commands. Modules that are slow to import are imported inside the functions that need them."""
