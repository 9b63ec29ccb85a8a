"""Clients of AWS services, and the connections under them."""
