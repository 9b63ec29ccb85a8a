"""Emulates EC2 Image Builder and STS on the loopback interface, for rehearsals and tests."""
