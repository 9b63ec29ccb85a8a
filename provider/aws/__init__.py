"""The API client, its connections, and TLS."""
