"""API clients, HTTP connections, and TLS."""
