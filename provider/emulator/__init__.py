"""Emulates EC2 Image Builder on the loopback interface, for rehearsals and tests."""
