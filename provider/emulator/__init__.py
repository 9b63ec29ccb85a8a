"""The embedded engine: what stands in for AWS on the loopback interface, for rehearsals and tests."""
